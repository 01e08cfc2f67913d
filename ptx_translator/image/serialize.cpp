#include "image/archive.h"
#include "ptx/image.h"
#include "ptx/job.h"

#include <bit>

static_assert(std::endian::native == std::endian::little, "the byte form is written and read in memory order");

namespace ptx {
namespace {

using archive::Is;

/// Part of every header. Raise it when a fields() below changes.
constexpr uint32_t format_version = 6;

} // namespace

// One list per structure, for both directions.

static constexpr uint8_t last_enumerator(Arch) { return uint8_t(Arch::spirv); }
static constexpr uint8_t last_enumerator(Job::Kind) { return uint8_t(Job::Kind::translate); }
static constexpr uint8_t last_enumerator(Reply::Status) { return uint8_t(Reply::Status::internal_error); }

static void fields(auto& list, Is<Target> auto& target) { list(target.arch, target.cpu, target.features, target.columns, target.rows); }

static void fields(auto& list, Is<Options> auto& options) {
    list(options.optimization_level, options.debug_info, options.phases, options.warp, options.compute_capability,
         options.counts);
}

static void fields(auto& list, Is<ParameterInfo> auto& parameter) {
    list(parameter.offset, parameter.size, parameter.alignment);
}

static void fields(auto& list, Is<KernelInfo> auto& kernel) {
    list(kernel.name, kernel.parameters, kernel.parameter_bytes, kernel.max_threads, kernel.required_threads,
         kernel.min_blocks_per_multiprocessor, kernel.cluster, kernel.explicit_cluster, kernel.max_cluster_rank,
         kernel.error);
    list(kernel.translated, kernel.symbol, kernel.static_shared_bytes, kernel.local_bytes, kernel.registers,
         kernel.uses_barrier, kernel.phases, kernel.phase_bytes, kernel.uses_cooperative, kernel.uses_cluster,
         kernel.uses_services, kernel.uses_heap);
    list(kernel.tile_columns, kernel.tile_rows, kernel.divided);
}

static void fields(auto& list, Is<GlobalInfo> auto& global) {
    list(global.name, global.offset, global.size, global.alignment, global.constant, global.managed, global.visible);
}

static void fields(auto& list, Is<GlobalRelocation> auto& relocation) {
    list(relocation.offset, relocation.size, relocation.shift, relocation.function, relocation.symbol,
         relocation.addend);
}

static void fields(auto& list, Is<ModuleInfo> auto& module) {
    list(module.version, module.target, module.kernels, module.globals, module.relocations, module.initial_data,
         module.block_size, module.functions_in_data, module.unresolved, module.wrong, module.diagnostics);
}

static void fields(auto& list, Is<FunctionSymbol> auto& function) { list(function.name, function.symbol); }

static void fields(auto& list, Is<Image> auto& image) {
    list(image.target, image.kernels, image.functions, image.code, image.remarks);
}

static void fields(auto& list, Is<Job> auto& job) {
    list(job.kind, job.sources, job.target, job.options, job.kernels, job.functions);
}

static void fields(auto& list, Is<Reply> auto& reply) {
    list(reply.status, reply.message, reply.payload, reply.version);
}

namespace {

constexpr uint32_t magic(const char (&text)[5]) {
    return uint32_t(text[0]) | uint32_t(text[1]) << 8 | uint32_t(text[2]) << 16 | uint32_t(text[3]) << 24;
}

template <class T> std::vector<uint8_t> to_bytes(uint32_t magic, const T& value) {
    archive::Writer writer;
    writer(magic, format_version, value);
    return writer.take();
}

template <class T> T from_bytes(uint32_t expected_magic, std::span<const uint8_t> bytes) {
    archive::Reader reader(bytes);
    uint32_t magic = 0, version = 0;
    reader(magic, version);
    if (magic != expected_magic) reader.fail("not of the expected kind");
    if (version != format_version) reader.fail("of another format version");
    T value;
    reader(value);
    reader.expect_end();
    return value;
}

constexpr uint32_t module_magic = magic("CtlM"), image_magic = magic("CtlI"), job_magic = magic("CtlJ"),
                   reply_magic = magic("CtlR");

} // namespace

std::vector<uint8_t> serialize(const ModuleInfo& module) { return to_bytes(module_magic, module); }
std::vector<uint8_t> serialize(const Image& image) { return to_bytes(image_magic, image); }
std::vector<uint8_t> serialize(const Job& job) { return to_bytes(job_magic, job); }
std::vector<uint8_t> serialize(const Reply& reply) { return to_bytes(reply_magic, reply); }

ModuleInfo deserialize_module_info(std::span<const uint8_t> bytes) {
    return from_bytes<ModuleInfo>(module_magic, bytes);
}
Image deserialize_image(std::span<const uint8_t> bytes) { return from_bytes<Image>(image_magic, bytes); }
Job deserialize_job(std::span<const uint8_t> bytes) { return from_bytes<Job>(job_magic, bytes); }
Reply deserialize_reply(std::span<const uint8_t> bytes) { return from_bytes<Reply>(reply_magic, bytes); }

} // namespace ptx
