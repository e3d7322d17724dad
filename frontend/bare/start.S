/* SPDX-License-Identifier: MIT */
/*
 * The way in. Xen starts a PVH guest at the address in the note below, in 32-bit protected mode
 * without paging, with the address of the start info in %ebx. We map the first 4 GiB to
 * themselves, go to 64-bit mode and call main(). Interrupts stay off for good; what arrives all the
 * same is ignored. An exception ends in trap().
 */
#define XEN_ELFNOTE_PHYS32_ENTRY 18
#define CR0_PG 0x80000000
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100
#define PAGE_TABLE 0x03 /* present, writable */
#define PAGE_LARGE 0x83 /* the same, of 2 MiB */
#define STACK_BYTES 65536
#define EXCEPTIONS 32
#define VECTORS 256
#define VECTORS_WITH_ERROR_CODE 0x60227d00 /* 8, 10 to 14, 17, 21, 29, 30 */
#define GATE_BYTES 16
#define GATE_PRESENT_INTERRUPT 0x8e00
#define SELECTOR_CODE 8
#define ENTRY_BYTES 16

	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 8, XEN_ELFNOTE_PHYS32_ENTRY
	.asciz "Xen"
	.quad start

	.text
	.code32
	.globl start
start:
	cld
	movl %cr4, %eax
	orl $CR4_PAE, %eax
	movl %eax, %cr4
	movl $level4, %eax
	movl %eax, %cr3
	movl $MSR_EFER, %ecx
	rdmsr
	orl $EFER_LME, %eax
	wrmsr
	movl %cr0, %eax
	orl $CR0_PG, %eax
	movl %eax, %cr0
	lgdt gdt_pointer
	ljmp $8, $start64

	.code64
start64:
	movl $16, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl $stack_end, %esp
	xorl %ebp, %ebp
	call set_gates
	lidt idt_pointer
	movl %ebx, %edi
	call main
1:	hlt
	jmp 1b

/* Fills the table of interrupts: an entry of its own for each exception, one for all the rest. */
set_gates:
	xorl %ecx, %ecx
	movl $idt, %edi
	movl $exceptions, %eax
2:	cmpl $EXCEPTIONS, %ecx
	jb 3f
	movl $interrupt, %eax
3:	movw %ax, (%rdi)
	movw $SELECTOR_CODE, 2(%rdi)
	movw $GATE_PRESENT_INTERRUPT, 4(%rdi)
	movl %eax, %edx
	shrl $16, %edx
	movl %edx, 4 + 2(%rdi)
	addl $ENTRY_BYTES, %eax
	addl $GATE_BYTES, %edi
	incl %ecx
	cmpl $VECTORS, %ecx
	jb 2b
	ret

interrupt:
	iretq

	.balign ENTRY_BYTES
exceptions:
	.set vector, 0
	.rept EXCEPTIONS
	.if !((VECTORS_WITH_ERROR_CODE >> vector) & 1)
	pushq $0
	.endif
	pushq $vector
	jmp exception
	.balign ENTRY_BYTES
	.set vector, vector + 1
	.endr

/* trap(vector, error code, instruction, address of the last page fault) does not return. */
exception:
	popq %rdi
	popq %rsi
	movq (%rsp), %rdx
	movq %cr2, %rcx
	andq $-16, %rsp
	call trap

	.data
	.balign 8
gdt:
	.quad 0
	.quad 0x00af9b000000ffff /* 64-bit code */
	.quad 0x00cf93000000ffff /* data */
gdt_pointer:
	.word . - gdt - 1
	.long gdt
idt_pointer:
	.word VECTORS * GATE_BYTES - 1
	.quad idt

	.balign 4096
level4:
	.quad level3 + PAGE_TABLE
	.fill 511, 8, 0
level3:
	.quad level2 + PAGE_TABLE, level2 + 4096 + PAGE_TABLE
	.quad level2 + 8192 + PAGE_TABLE, level2 + 12288 + PAGE_TABLE
	.fill 508, 8, 0
level2:
	.set page, 0
	.rept 2048
	.quad page * 0x200000 + PAGE_LARGE
	.set page, page + 1
	.endr

	/* Xen fills this page with its entry points. */
	.globl hypercall_page
hypercall_page:
	.fill 4096, 1, 0x90

	.bss
	.balign 16
idt:
	.skip VECTORS * GATE_BYTES
	.skip STACK_BYTES
stack_end:

	.section .note.GNU-stack, "", @progbits
