# qemu: `make run`, the demonstration

DEMO_PORT ?= 8080

.PHONY: run
run: packages-run $(IMAGES) fixtures ## build, boot in QEMU, serve a page from a container on localhost:$(DEMO_PORT)
	@echo; echo "Booting. When nginx is up:  curl http://localhost:$(DEMO_PORT)/    Leave with Ctrl-A X."; echo
	$(Q)qemu/run --user-data qemu/demo.yaml --image $(FIXTURES)/nginx.oci.tar --data $(BUILD)/demo-data.img \
		--publish $(DEMO_PORT):80 --append coracle.console=logs
