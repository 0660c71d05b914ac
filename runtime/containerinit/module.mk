# coracle-init: the tiny first process of containers with `init: true`, mounted into them
$(call program,coracle-init,runtime/containerinit/init.c,)
