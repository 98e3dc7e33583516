#include <sodium.h>

#include "base/secret_file.h"
#include "proto/token.h"

int token_set_read(
	struct token_set *set, enum access_role role, const char *path, struct kr_error_text *text)
{
	char bytes[TOKEN_FILE_SIZE_MAX];
	size_t size_bytes = 0;
	kr_assert(path != NULL);
	/* Chooses the fastest of its codes for this machine; without it they work as well. */
	if (sodium_init() < 0)
		return kr_error_text_set(text, -KR_E_UNSUPPORTED, 0,
			"libsodium cannot be used: the system gives no random numbers");
	int r = secret_file_read(path, bytes, sizeof(bytes), &size_bytes, text);
	if (r == 0)
		r = token_set_parse(set, role, bytes, size_bytes, path, text);
	sodium_memzero(bytes, sizeof(bytes));
	return r;
}
