/* AWS's vocabularies, compiled by lua/infra/models into one SQLite database, carried in the binary and opened in place
 * (host/sqlite.c). The first-stage binary, which does that compiling, is built without MODELS and carries nothing. */
    .section .rodata
    .balign 4096
    .globl host_models
    .globl host_models_end
host_models:
#ifdef MODELS
    .incbin MODELS
#endif
host_models_end:
    .byte 0
    .section .note.GNU-stack,"",@progbits
