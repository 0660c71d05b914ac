# init/http: coracle-http, the one program that speaks HTTP and TLS

HTTP_SRC := $(sort $(wildcard init/http/*.c))

$(call program,coracle-http,$(HTTP_SRC),-lcurl -lmbedtls -lmbedx509 -lmbedcrypto)
