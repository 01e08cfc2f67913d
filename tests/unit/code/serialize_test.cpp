#include "ptx/image.h"
#include "ptx/job.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>

namespace {

using namespace ptx;

KernelInfo sample_kernel() {
    KernelInfo kernel;
    kernel.name = "_Z6vectorPf";
    kernel.parameters = {{0, 8, 8}, {8, 4, 4}};
    kernel.parameter_bytes = 12;
    kernel.max_threads = {256, 1, 2};
    kernel.required_threads = {3, 4, 5};
    kernel.min_blocks_per_multiprocessor = 2;
    kernel.cluster = {2, 1, 1};
    kernel.error = "line 3, column 7: no";
    kernel.translated = true;
    kernel.symbol = "k";
    kernel.static_shared_bytes = 1024;
    kernel.local_bytes = 48;
    kernel.registers = 20;
    kernel.uses_barrier = true;
    kernel.phases = 3;
    kernel.phase_bytes = 24;
    kernel.uses_cooperative = true;
    return kernel;
}

ModuleInfo sample_module() {
    ModuleInfo module;
    module.version = 90;
    module.target = "sm_90a";
    module.kernels = {sample_kernel(), {}};
    module.globals = {{"g", 16, 64, 16, true, true, true}};
    module.relocations = {{8, 4, 1, true, "f", -12}};
    module.initial_data = {1, 2, 3};
    module.block_size = 128;
    module.functions_in_data = {"f", "h"};
    module.diagnostics = "line 1, column 1: odd\n";
    return module;
}

Image sample_image() {
    return {{Arch::host, "znver4", "+avx2", 16, 2}, {sample_kernel()}, {{"f", "f.1"}}, {0x7f, 'E', 'L', 'F', 0}};
}

Job sample_job() {
    return {Job::Kind::translate, {".version 9.0", "b"}, {Arch::amdgcn, "gfx1100", ""}, {2, true, true, true, 89, true}, {"k"}, {"f"}};
}

Reply sample_reply() { return {Reply::Status::unsupported, "why", {9, 8, 7}, "version"}; }

/// Bytes make the value and the value makes the bytes: nothing got lost, as every field of the samples is set.
template <class T> void round_trip(const T& value, T (*read)(std::span<const uint8_t>)) {
    const std::vector<uint8_t> bytes = serialize(value);
    EXPECT_EQ(serialize(read(bytes)), bytes);
}

TEST(Serialize, RoundTrips) {
    round_trip(sample_module(), deserialize_module_info);
    round_trip(ModuleInfo{}, deserialize_module_info);
    round_trip(sample_image(), deserialize_image);
    round_trip(sample_job(), deserialize_job);
    round_trip(sample_reply(), deserialize_reply);
}

TEST(Serialize, KeepsEveryField) {
    const ModuleInfo module = deserialize_module_info(serialize(sample_module()));
    ASSERT_EQ(module.kernels.size(), 2u);
    const KernelInfo &read = module.kernels[0], kernel = sample_kernel();
    EXPECT_EQ(read.name, kernel.name);
    ASSERT_EQ(read.parameters.size(), 2u);
    EXPECT_EQ(read.parameters[1].offset, 8u);
    EXPECT_EQ(read.max_threads, kernel.max_threads);
    EXPECT_EQ(read.required_threads, kernel.required_threads);
    EXPECT_EQ(read.cluster, kernel.cluster);
    EXPECT_EQ(read.error, kernel.error);
    EXPECT_TRUE(read.translated && read.uses_barrier && read.uses_cooperative);
    EXPECT_EQ(read.local_bytes, 48u);
    EXPECT_EQ(read.phases, 3u);
    EXPECT_EQ(read.phase_bytes, 24u);
    EXPECT_EQ(module.relocations[0].addend, -12);
    EXPECT_TRUE(module.globals[0].constant && module.globals[0].managed && module.globals[0].visible);
    EXPECT_EQ(module.block_size, 128u);
    EXPECT_EQ(module.kernel("_Z6vectorPf"), &module.kernels[0]);
    EXPECT_EQ(module.kernel("other"), nullptr);
    EXPECT_EQ(module.global("g")->size, 64u);
    const Job job = deserialize_job(serialize(sample_job()));
    EXPECT_EQ(job.options, sample_job().options);
    EXPECT_EQ(job.target, sample_job().target);
    EXPECT_EQ(job.functions, sample_job().functions);
    EXPECT_EQ(deserialize_reply(serialize(sample_reply())).version, "version");
}

TEST(Serialize, RefusesEveryTruncation) {
    const std::vector<uint8_t> bytes = serialize(sample_module());
    for (size_t size = 0; size < bytes.size(); ++size) {
        const std::vector<uint8_t> part(bytes.begin(), bytes.begin() + ptrdiff_t(size)); // exact, for the sanitizer
        EXPECT_THROW(deserialize_module_info(part), std::runtime_error) << size;
    }
    std::vector<uint8_t> longer = bytes;
    longer.push_back(0);
    EXPECT_THROW(deserialize_module_info(longer), std::runtime_error);
}

TEST(Serialize, RefusesOtherKindsAndVersions) {
    EXPECT_THROW(deserialize_image(serialize(sample_module())), std::runtime_error);
    EXPECT_THROW(deserialize_module_info(serialize(sample_image())), std::runtime_error);
    EXPECT_THROW(deserialize_job(serialize(sample_reply())), std::runtime_error);
    std::vector<uint8_t> bytes = serialize(sample_reply());
    bytes[4] ^= 1;
    EXPECT_THROW(deserialize_reply(bytes), std::runtime_error);
}

TEST(Serialize, SurvivesEveryDamagedByte) {
    const std::vector<uint8_t> good = serialize(sample_module());
    size_t refused = 0;
    for (size_t at = 0; at < good.size(); ++at)
        for (const int change : {0x01, 0x80, 0xff}) {
            std::vector<uint8_t> bytes = good;
            bytes[at] ^= uint8_t(change);
            try {
                EXPECT_EQ(serialize(deserialize_module_info(bytes)), bytes);
            } catch (const std::runtime_error&) {
                ++refused;
            }
        }
    EXPECT_GT(refused, good.size()); // lengths are most of it
}

TEST(Serialize, LyingLengthAllocatesNothing) {
    std::vector<uint8_t> bytes = serialize(Reply{});
    const uint64_t huge = uint64_t{1} << 60;
    std::memcpy(bytes.data() + 9, &huge, sizeof huge); // after magic, version and status: the message's length
    EXPECT_THROW(deserialize_reply(bytes), std::runtime_error);
}

TEST(Target, Names) {
    for (const char* name :
         {"host", "host:x86-64-v2", "host:znver4:+avx2,-sse4a", "host::+avx2", "amdgcn:gfx1100", "spirv"})
        EXPECT_EQ(Target::parse(name).name(), name);
    EXPECT_EQ(Target::parse("amdgcn:gfx90a").cpu, "gfx90a");
    EXPECT_EQ(Target::parse("host:a:+b").features, "+b");
    for (const char* name : {"", "x86", "host:", "host:a:", "amdgcn", "amdgcn::+x", "amdgcn:gfx90a:+x", "spirv:x"})
        EXPECT_THROW(Target::parse(name), std::invalid_argument) << name;
}

} // namespace
