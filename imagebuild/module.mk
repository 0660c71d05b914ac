# imagebuild: the host tool, and everything a machine boots: kernel, initramfs, UKI, disk.

IMAGE_TOOL := $(BUILD)/tools/coracle-image
$(call tool,coracle-image,$(wildcard imagebuild/*.c),-larchive -lz)

EFI_STUB ?= /usr/lib/systemd/boot/efi/linuxx64.efi.stub
KERNEL := $(BUILD)/kernel
IMAGES += $(BUILD)/vmlinuz $(BUILD)/vmlinux $(BUILD)/cmdline $(BUILD)/initramfs.cpio.zst $(BUILD)/coracle.efi

# a link into the dependency cache: {vmlinuz,vmlinux,config,version}; its make has its own jobs: without our flags it would find
# no job server and compile one file at a time
$(KERNEL): $(wildcard kernel-config/*)
	@mkdir -p $(BUILD)
	$(Q)k=$$(MAKEFLAGS= PROFILE=$(PROFILE) kernel-config/build) && ln -sfn "$$k" $@.new && mv -T $@.new $@ && touch -h $@
$(BUILD)/vmlinuz $(BUILD)/vmlinux: $(BUILD)/%: $(KERNEL)
	$(Q)cp $(KERNEL)/$* $@
$(BUILD)/cmdline: kernel-config/cmdline
	@mkdir -p $(@D)
	$(Q)sed 's/#.*//' $< | tr '\n' ' ' | tr -s ' ' | sed 's/^ //; s/ $$//' > $@

$(BUILD)/root.erofs: rootfs/assemble rootfs/manifest VERSION $(shell find rootfs/skel -type f) $(SYSROOT) $(ALL)
	@echo "  ROOT  $@"
	$(Q)rootfs/assemble $(BUILD) $@
# Stored, not compressed: root.erofs is lz4 inside already, and to squeeze half a megabyte more out of it costs each boot 40 million
# instructions, an eighth of the way to the first container. INITRAMFS_ZSTD=-19 for the smaller file.
INITRAMFS_ZSTD ?= --fast=131072 --no-check
$(BUILD)/initramfs.cpio.zst: $(BUILD)/root.erofs $(BUILD)/bin/init $(IMAGE_TOOL)
	@echo "  CPIO  $@"
	$(Q)$(IMAGE_TOOL) cpio $(BUILD)/initramfs.cpio init=$(BUILD)/bin/init,755 root.erofs=$(BUILD)/root.erofs
	$(Q)zstd -q -f -T1 $(INITRAMFS_ZSTD) $(BUILD)/initramfs.cpio -o $@ && rm $(BUILD)/initramfs.cpio
$(BUILD)/coracle.efi: $(BUILD)/vmlinuz $(BUILD)/initramfs.cpio.zst $(BUILD)/cmdline $(IMAGE_TOOL)
	@echo "  UKI   $@"
	$(Q)printf '%s coracle.data=wait' "$$(cat $(BUILD)/cmdline)" > $(BUILD)/cmdline.uki
	$(Q)$(IMAGE_TOOL) uki $@ --stub $(EFI_STUB) --linux $(BUILD)/vmlinuz --initrd $(BUILD)/initramfs.cpio.zst \
		--cmdline $(BUILD)/cmdline.uki --osrel $(BUILD)/os-release

.PHONY: disk
disk: $(BUILD)/coracle.img $(BUILD)/coracle.qcow2 ## a GPT disk for machines (raw and qcow2)
$(BUILD)/coracle.img: imagebuild/disk $(BUILD)/coracle.efi
	@echo "  DISK  $@"
	$(Q)imagebuild/disk $(BUILD) $@
$(BUILD)/coracle.qcow2: $(BUILD)/coracle.img
	$(Q)qemu-img convert -O qcow2 -c $< $@
