# shellcheck shell=bash disable=SC2154,SC2054
# qemu/lib/machine.sh: machine type, accelerator, kernel and console of qemu/run. Sourced by it; appends to `command`.

# The frequency in kHz that the guest's time stamp counter runs at. Under TCG the guest reads the host's counter, or
# with --icount counts one instruction as one nanosecond.
guest_tsc_khz() {
	local ghz mhz
	if [[ -n $icount ]]; then
		echo 1000000
		return
	fi
	ghz=$(sed -n 's/^model name.*@ *\([0-9.]*\)GHz.*/\1/p;T;q' /proc/cpuinfo)
	if [[ -n $ghz ]]; then
		LC_ALL=C awk -v f="$ghz" 'BEGIN { printf "%d\n", f * 1000000 }'
		return
	fi
	mhz=$(sed -n 's/^cpu MHz[^0-9]*\([0-9.]*\).*/\1/p;T;q' /proc/cpuinfo)
	LC_ALL=C awk -v f="${mhz:-1000}" 'BEGIN { printf "%d\n", f * 1000 }'
}

# Some hosts, most of them virtual machines themselves, have a /dev/kvm that can be opened and stops at the first
# instruction that it cannot do. So the kernel is booted once, without a root: with working KVM it panics for the lack of
# one within a second. The answer is kept until the host boots again.
kvm_works() {
	local folder answer text
	folder=${CORACLE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/coracle}
	answer=$folder/kvm-$(</proc/sys/kernel/random/boot_id)
	if [[ ! -e $answer ]]; then
		[[ -z $dry_run && -r $build/vmlinux ]] || return 1
		text=$(timeout 10 qemu-system-x86_64 -nodefaults -no-user-config -display none -M microvm,acpi=off,isa-serial=on \
			-accel kvm -cpu host -m 256 -no-reboot -serial stdio -kernel "$build/vmlinux" \
			-append 'console=ttyS0 panic=-1 quiet' 2>&1 </dev/null) || true
		mkdir -p "$folder"
		rm -f "$folder"/kvm-*
		if [[ $text == *'Kernel panic'* ]]; then
			echo yes >"$answer"
		else
			echo no >"$answer"
			echo "qemu/run: /dev/kvm does not run our kernel here: going on without it (--accel kvm insists)" >&2
		fi
	fi
	[[ $(<"$answer") == yes ]]
}

machine_add() {
	local options
	case $machine in
	q35)
		# The chipset's SATA controller and SMBus cost probing time and nothing here uses them.
		options=q35,vmport=off,smbus=off
		[[ $disk_bus == ahci && -n $disk ]] || options+=,sata=off
		;;
	microvm)
		# ACPI is how the machine powers off and how its power button works; PIT and PIC are what the kernel
		# falls back to. Option ROMs would add a second firmware path for no gain: qboot loads both kernel forms.
		options=microvm,acpi=on,pit=on,pic=on,rtc=on,isa-serial=on,x-option-roms=off
		;;
	esac
	command+=(-M "$options" -m "$memory" -smp "$cpus")
	if [[ $accel == kvm ]]; then
		command+=(-accel kvm -cpu host)
	else
		command+=(-accel tcg -cpu max)
	fi
	if [[ -n $icount ]]; then
		command+=(-icount 'shift=0,sleep=off' -rtc 'base=2026-01-01,clock=vm' -seed 1)
	fi
	command+=(-device 'isa-debug-exit,iobase=0xf4,iosize=0x04')
	if [[ -n $watchdog ]]; then command+=(-device "$watchdog" -action watchdog=reset); fi
	if [[ -n $no_reboot ]]; then command+=(-no-reboot); fi
	if [[ -n $monitor ]]; then command+=(-qmp "unix:$monitor,server=on,wait=off"); fi
}

# The kernel command line: what the build fixed, what the machine needs, then the user's words, which win.
kernel_command_line() {
	local line='console=ttyS0 quiet rootfstype=ramfs panic=5' word
	if [[ -r $build/cmdline ]]; then line=$(tr -s '\n' ' ' <"$build/cmdline"); fi
	line=${line%% }
	# Without a reference timer the kernel's calibration against the PIT fails about one time in five under TCG, and
	# the guest then hangs; being told the frequency it does not calibrate.
	if [[ $machine == microvm && $accel == tcg ]]; then line+=" tsc_early_khz=$(guest_tsc_khz)"; fi
	# The kernel tests its first timer interrupt by counting them during a delay loop; under TCG a busy host can let that
	# fail, and then it panics. Under KVM it leaves the test out by itself.
	if [[ $accel == tcg ]]; then line+=' no_timer_check'; fi
	for word in "${append[@]}"; do line+=" $word"; done
	printf '%s' "$line"
}

kernel_add() {
	[[ -z $disk ]] || return 0
	if [[ -z $kernel ]]; then
		kernel=$build/vmlinux
		# below this SeaBIOS moves itself over a kernel that QEMU has put into memory already
		if [[ ! -e $kernel || ($machine == q35 && $memory -lt 40) ]]; then kernel=$build/vmlinuz; fi
	fi
	[[ -r $kernel ]] || die "$kernel: no kernel there; run make first, or give --kernel"
	[[ -n $initrd ]] || initrd=$build/initramfs.cpio.zst
	command+=(-kernel "$kernel" -append "$(kernel_command_line)")
	if [[ $initrd != none ]]; then
		[[ -r $initrd ]] || die "$initrd: no initramfs there; run make first, or give --initrd"
		command+=(-initrd "$initrd")
	fi
}

# On a terminal the console shares it with the monitor (Ctrl-A X leaves); otherwise every byte belongs to the guest.
console_add() {
	local mux=off
	if [[ -t 0 ]]; then mux=on; fi
	command+=(-chardev "stdio,id=console,mux=$mux,signal=off" -serial chardev:console)
	if [[ $mux == on ]]; then command+=(-mon chardev=console,mode=readline); fi
}
