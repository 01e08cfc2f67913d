// The front end's memory on a large text: `large_text MEGABYTES [seconds]` makes a text of about that size, reads it as
// an index job does and as the translation of one of its kernels does, and fails when the process's peak exceeds the
// text and a margin that is small beside a syntax tree of the whole (25 bytes a byte of text). With `seconds` it says
// what both took instead.
#include "ast_to_ast/prepare.h"
#include "ptx/translate.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <sys/resource.h>

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr long sanitizer_megabytes = 600; // freed memory waits in quarantine
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr long sanitizer_megabytes = 600;
#else
constexpr long sanitizer_megabytes = 0;
#endif
#else
constexpr long sanitizer_megabytes = 0;
#endif

constexpr unsigned statements = 60; ///< groups of a kernel

/// Kernels of what compilers emit: parameters, ranges of registers, calls in braces, labels, debug positions, shared
/// and module variables.
std::string kernel(unsigned number) {
    const std::string name = "kernel_" + std::to_string(number);
    std::string text = ".global .align 4 .u32 counter_" + std::to_string(number) + ";\n.visible .entry " + name +
                       "(\n\t.param .u64 " + name + "_param_0,\n\t.param .align 8 .b8 " + name +
                       "_param_1[24]\n)\n.maxntid 256, 1, 1\n{\n\t.reg .pred \t%p<40>;\n\t.reg .f32 \t%f<200>;\n"
                       "\t.reg .b32 \t%r<300>;\n\t.reg .b64 \t%rd<100>;\n\t.shared .align 16 .b8 " +
                       name + "_tile[1024];\n\tld.param.u64 \t%rd1, [" + name + "_param_0];\n\tld.param.u32 \t%r1, [" +
                       name + "_param_1+8];\n\tcvta.to.global.u64 \t%rd2, %rd1;\n";
    for (unsigned i = 0; i < statements; ++i) {
        const std::string n = std::to_string(i);
        text += "\t.loc\t1 " + n + " 3\n$L__BB" + std::to_string(number) + "_" + n + ":\n\tmad.lo.s32 \t%r" +
                std::to_string(i + 2) + ", %r1, %r1, " + n + ";\n\tfma.rn.f32 \t%f" + std::to_string(i + 1) +
                ", %f1, 0f3F800000, %f2;\n\tsetp.lt.s32 \t%p1, %r1, %r" + n + ";\n\t@%p1 bra \t$L__BB" +
                std::to_string(number) + "_" + std::to_string((i + 7) % statements) +
                ";\n\tld.global.v2.f32 \t{%f3, %f4}, [%rd2+" + n + "];\n\tst.shared.f32 \t[" + name + "_tile+" +
                std::to_string(4 * i) + "], %f3;\n\tmov.u64 \t%rd3, counter_" + std::to_string(number) + ";\n";
        if (i % 4 == 0)
            text += "\t{ // callseq\n\t.reg .b32 temp_param_reg;\n\t.param .b32 param0;\n\tst.param.b32 \t[param0+0], "
                    "%r1;\n\t.param .b32 retval0;\n\tcall.uni (retval0), leaf, (param0);\n\tld.param.b32 \t%r4, "
                    "[retval0+0];\n\t}\n";
    }
    return text + "\tret;\n}\n\n";
}

std::string text_of(size_t bytes) {
    std::string text =
        ".version 8.3\n.target sm_90\n.address_size 64\n.file 1 \"large.cu\"\n"
        ".func (.param .b32 out) leaf(.param .b32 in)\n{\n\t.reg .b32 %r<2>;\n\tld.param.b32 %r1, [in];\n"
        "\tst.param.b32 [out], %r1;\n\tret;\n}\n";
    text.reserve(bytes + 100000);
    for (unsigned i = 0; text.size() < bytes; ++i) text += kernel(i);
    return text;
}

rusage usage() {
    rusage out{};
    getrusage(RUSAGE_SELF, &out);
    return out;
}

double cpu_seconds() {
    const rusage now = usage();
    const auto seconds = [](const timeval& t) { return double(t.tv_sec) + double(t.tv_usec) / 1e6; };
    return seconds(now.ru_utime) + seconds(now.ru_stime);
}

int fail(const char* what) {
    std::printf("%s\n", what);
    return 1;
}

} // namespace

int main(int argc, char** argv) {
    const size_t megabytes = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 20;
    const std::string text = text_of(megabytes << 20);
    const std::string_view sources[] = {text};
    const long before = usage().ru_maxrss / 1024;
    const double begin = cpu_seconds();
    size_t kernels = 0;
    {
        const ptx::ModuleInfo info = ptx::index(sources);
        kernels = info.kernels.size();
        if (!info.wrong.empty()) return fail(info.wrong.c_str());
    }
    const double indexed = cpu_seconds();
    {
        const std::string wanted = "kernel_" + std::to_string(kernels / 2);
        const ptx::Prepared one = ptx::prepare(sources, {wanted}, {});
        if (one.module->function(wanted)->instructions.size() < 6 * statements) return fail("the kernel is not there");
    }
    const double prepared = cpu_seconds();
    const long more = usage().ru_maxrss / 1024 - before;
    std::printf("%zu MB, %zu kernels: %ld MB more than the text at the peak\n", text.size() >> 20, kernels, more);
    if (argc > 2) std::printf("index %.2f s, one kernel %.2f s\n", indexed - begin, prepared - indexed);
    const long limit = 16 + long(megabytes) / 2 + sanitizer_megabytes;
    if (more > limit) return fail("too much memory");
    return kernels == 0;
}
