/* resolv.h - keeps the resolv.conf of host-network containers that of the machine: DHCP may answer after they have started. */
#ifndef CORACLE_ENGINE_RESOLV_H
#define CORACLE_ENGINE_RESOLV_H

/* Watches /etc/resolv.conf by inotify; a failure is a note only. */
void resolv_watch(void);

#endif
