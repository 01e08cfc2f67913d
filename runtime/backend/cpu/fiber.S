# Context switches for fibers, x86-64 System V. A suspended context is its stack pointer; on top of its stack lie, from
# low to high addresses: program counter, r15, r14, r13, r12, rbx, rbp. MXCSR and the x87 control word are never
# changed by kernels, so they stay as they are. An indirect jump instead of `ret` keeps the return predictor in step.
        .text

# void cuttle_cpu_switch(void** save, void* to)
        .globl cuttle_cpu_switch
        .hidden cuttle_cpu_switch
        .type cuttle_cpu_switch, @function
        .p2align 4
cuttle_cpu_switch:
        popq %rdx
        pushq %rbp
        pushq %rbx
        pushq %r12
        pushq %r13
        pushq %r14
        pushq %r15
        pushq %rdx
        movq %rsp, (%rdi)
        movq %rsi, %rsp
# Where a fault handler sends a thread: rsp is a saved context.
        .globl cuttle_cpu_resume
        .hidden cuttle_cpu_resume
cuttle_cpu_resume:
        popq %rdx
        popq %r15
        popq %r14
        popq %r13
        popq %r12
        popq %rbx
        popq %rbp
        jmp *%rdx
        .size cuttle_cpu_switch, .-cuttle_cpu_switch

# void cuttle_cpu_guarded(void** save, void (*function)(void*), void* argument)
# Calls function(argument); *save is a context that goes on after this call.
        .globl cuttle_cpu_guarded
        .hidden cuttle_cpu_guarded
        .type cuttle_cpu_guarded, @function
        .p2align 4
cuttle_cpu_guarded:
        popq %rcx
        pushq %rbp
        pushq %rbx
        pushq %r12
        pushq %r13
        pushq %r14
        pushq %r15
        pushq %rcx
        movq %rsp, (%rdi)
        subq $8, %rsp
        movq %rdx, %rdi
        callq *%rsi
        addq $8, %rsp
        jmp cuttle_cpu_resume
        .size cuttle_cpu_guarded, .-cuttle_cpu_guarded

# First instruction of a new fiber: rbx = function, r12 = its argument; the function never returns.
        .globl cuttle_cpu_fiber_entry
        .hidden cuttle_cpu_fiber_entry
        .type cuttle_cpu_fiber_entry, @function
        .p2align 4
cuttle_cpu_fiber_entry:
        .cfi_startproc
        .cfi_undefined rip
        movq %r12, %rdi
        callq *%rbx
        ud2
        .cfi_endproc
        .size cuttle_cpu_fiber_entry, .-cuttle_cpu_fiber_entry
        .section .note.GNU-stack, "", @progbits
