/* signals.h - signal names as people and Docker write them. Pure. */
#ifndef CORACLE_ENGINE_SIGNALS_H
#define CORACLE_ENGINE_SIGNALS_H

/* "SIGTERM", "term", "15", "SIGRTMIN+3", "RTMAX-2". Returns 1..64, or -EINVAL. */
int signal_parse(const char *s);

#endif
