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
# Two archives, one behind the other. init is compressed; root.erofs is stored, because it is lz4 inside already, and to squeeze half a megabyte
# more out of it costs each boot 40 million instructions, an eighth of the way to the first container. The kernel copies it without a
# decompressor, whose window would be 600 KiB when memory is at its fullest: then the archive is there twice.
INITRAMFS_ZSTD ?= -19 --no-check
$(BUILD)/initramfs.cpio.zst: $(BUILD)/root.erofs $(BUILD)/bin/init $(IMAGE_TOOL)
	@echo "  CPIO  $@"
	$(Q)$(IMAGE_TOOL) cpio $(BUILD)/init.cpio init=$(BUILD)/bin/init,755 && zstd -q -f -T1 $(INITRAMFS_ZSTD) $(BUILD)/init.cpio -o $@.new
	$(Q)truncate -s %4 $@.new && $(IMAGE_TOOL) cpio $(BUILD)/root.cpio root.erofs=$(BUILD)/root.erofs && cat $(BUILD)/root.cpio >> $@.new
	$(Q)mv $@.new $@ && rm $(BUILD)/init.cpio $(BUILD)/root.cpio
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
