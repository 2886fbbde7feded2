/* Which vector code is compiled in. -DBZ_NO_SIMD builds what other processors get, for tests. */
#ifndef BASE_SIMD_H
#define BASE_SIMD_H

#if defined(__SSE2__) && !defined(BZ_NO_SIMD)
#define BASE_SSE2
#endif

/* Compiled for this target by attribute, used where the processor has it. */
#if defined(__x86_64__) && !defined(BZ_NO_SIMD)
#define BASE_AVX2
#endif

#endif
