# headers - the kernel's user space headers, from this machine's linux-libc-dev; its
# version is part of the key. They only add constants: what a kernel lacks is found
# out at run time.
LICENCE="GPL-2.0 WITH Linux-syscall-note"
PURPOSE="kernel user space headers"
REQUIRES=""
VARIANTS="musl"

build() {
	local dir
	mkdir -p "$D/include"
	for dir in linux asm-generic mtd; do
		cp -rL "/usr/include/$dir" "$D/include/"
	done
	if [ -d /usr/include/x86_64-linux-gnu/asm ]; then
		cp -rL /usr/include/x86_64-linux-gnu/asm "$D/include/"
	else
		cp -rL /usr/include/asm "$D/include/"
	fi
}
