#pragma once

// Clones of a function for wider vector units, chosen when the program is loaded. Left out under
// AddressSanitizer, whose run-time is not there yet when the choice is made.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__)
#define NPU_VECTOR_CLONES __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define NPU_VECTOR_CLONES
#endif
