#include "textflag.h"

// Each function goes over dst and src by eight words, by two and by one. The operation leaves in its second operand what
// becomes of dst, given dst in the first one and src in the second.

#define LOAD8 \
	MOVOU (SI), X0; MOVOU 16(SI), X1; MOVOU 32(SI), X2; MOVOU 48(SI), X3; \
	MOVOU (DI), X4; MOVOU 16(DI), X5; MOVOU 32(DI), X6; MOVOU 48(DI), X7

#define STORE8 \
	MOVOU X0, (DI); MOVOU X1, 16(DI); MOVOU X2, 32(DI); MOVOU X3, 48(DI); \
	ADDQ $64, SI; ADDQ $64, DI; SUBQ $8, CX

#define LOOP(OPERATION) \
	MOVQ dst+0(FP), DI; MOVQ src+8(FP), SI; MOVQ n+16(FP), CX; \
eight: \
	CMPQ CX, $8; JLT two; \
	LOAD8; \
	OPERATION X4, X0; OPERATION X5, X1; OPERATION X6, X2; OPERATION X7, X3; \
	STORE8; \
	JMP eight; \
two: \
	CMPQ CX, $2; JLT one; \
	MOVOU (SI), X0; MOVOU (DI), X4; \
	OPERATION X4, X0; \
	MOVOU X0, (DI); \
	ADDQ $16, SI; ADDQ $16, DI; SUBQ $2, CX; \
	JMP two; \
one: \
	TESTQ CX, CX; JEQ done; \
	MOVQ (SI), X0; MOVQ (DI), X4; \
	OPERATION X4, X0; \
	MOVQ X0, (DI); \
done: \
	RET

// func or(dst, src *uint64, n int)
TEXT ·or(SB), NOSPLIT, $0-24
	LOOP(POR)

// func and(dst, src *uint64, n int)
TEXT ·and(SB), NOSPLIT, $0-24
	LOOP(PAND)

// func andNot(dst, src *uint64, n int)
TEXT ·andNot(SB), NOSPLIT, $0-24
	LOOP(PANDN)
