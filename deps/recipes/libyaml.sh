# libyaml - YAML 1.1 of cloud-config files; a fifth of the size of libfyaml.
LICENCE=MIT
PURPOSE="YAML of cloud-config"
REQUIRES="musl headers"
VARIANTS="musl asan"

build() {
	local file
	for file in src/*.c; do
		$CC $CFLAGS -Iinclude -DYAML_VERSION_STRING='"0.2.5"' -DYAML_VERSION_MAJOR=0 \
			-DYAML_VERSION_MINOR=2 -DYAML_VERSION_PATCH=5 -c "$file" -o "${file%.c}.o"
	done
	make_archive yaml src/*.o
	install_headers include/yaml.h
}
