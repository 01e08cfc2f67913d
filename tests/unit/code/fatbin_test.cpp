#include "code/fatbin.h"
#include "fatbin_builder.h"
#include "rt/module.h"

#include <elf.h>
#include <gtest/gtest.h>
#include <lz4.h>
#include <zstd.h>

#include <random>

namespace {

using namespace rt;

const std::string text = ".version 9.0\n.target sm_80\n.address_size 64\n" + std::string(300, '\n');

std::string lz4(const std::string& plain) {
    std::string packed(size_t(LZ4_compressBound(int(plain.size()))), '\0');
    packed.resize(size_t(LZ4_compress_default(plain.data(), packed.data(), int(plain.size()), int(packed.size()))));
    return packed;
}

std::string zstd(const std::string& plain) {
    std::string packed(ZSTD_compressBound(plain.size()), '\0');
    packed.resize(ZSTD_compress(packed.data(), packed.size(), plain.data(), plain.size(), 3));
    return packed;
}

EntryBytes ptx(uint32_t arch, uint64_t flags = 0) {
    EntryBytes entry;
    entry.arch = arch;
    entry.flags |= flags;
    entry.payload = ".version 9.0 // " + std::to_string(arch) + (flags ? "x" : "");
    return entry;
}

EntryBytes sass(uint32_t arch) {
    EntryBytes entry;
    entry.kind = 2;
    entry.arch = arch;
    entry.payload = "\x7f"
                    "ELF";
    return entry;
}

std::string load(const std::vector<uint8_t>& bytes, int compute_capability = 89) {
    const ModuleSource source = ModuleSource::from_image(bytes.data(), bytes.size(), compute_capability);
    EXPECT_EQ(source.ptx.size(), 1u);
    return source.ptx.at(0);
}

/// The status thrown, and what it says.
std::pair<Status, std::string> refusal(const void* image, size_t size, int compute_capability = 89) {
    try {
        ModuleSource::from_image(image, size, compute_capability);
    } catch (const Error& error) {
        return {error.status(), error.what()};
    }
    return {Status::success, "accepted"};
}
std::pair<Status, std::string> refusal(const std::vector<uint8_t>& bytes) {
    return refusal(bytes.data(), bytes.size());
}

TEST(ModuleSource, Text) {
    EXPECT_EQ(ModuleSource::from_image(text.c_str(), 0, 89).ptx.at(0), text);
    EXPECT_EQ(ModuleSource::from_image(text.c_str(), text.size(), 89).ptx.at(0), text);
    EXPECT_EQ(ModuleSource::from_image(text.c_str(), text.size() + 1, 89).ptx.at(0), text); // with its NUL
    for (const char* start : {"  \n\t", "// comment\n", "/* more\n than one */ //\n", "\r\n", "//\n/**/"}) {
        const std::string whole = start + text;
        EXPECT_EQ(ModuleSource::from_image(whole.c_str(), 0, 89).ptx.at(0), whole);
    }
    const std::string marked = "\xef\xbb\xbf" + text;
    EXPECT_EQ(ModuleSource::from_image(marked.c_str(), 0, 89).ptx.at(0), text);
}

TEST(ModuleSource, NotPtx) {
    for (const char* wrong : {" ", "// only a comment", "/* open", "hello", ".", ". version", "#include <x>"}) {
        EXPECT_EQ(refusal(wrong, 0).first, Status::invalid_image) << wrong;
        std::vector<uint8_t> exact; // without NUL, for the sanitizer
        put(exact, wrong, std::strlen(wrong));
        EXPECT_EQ(refusal(exact).first, Status::invalid_image) << wrong;
    }
    EXPECT_EQ(refusal("", 0).first, Status::invalid_image);
    EXPECT_EQ(refusal(nullptr, 0).first, Status::invalid_value);
    EXPECT_NE(refusal("BC\xc0\xde....", 8).second.find("bitcode"), std::string::npos);
    EXPECT_NE(refusal("!<arch>\nxx", 10).second.find("archive"), std::string::npos);
}

TEST(ModuleSource, Cubin) {
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_machine = 190;
    header.e_ident[EI_ABIVERSION] = 7;
    header.e_flags = 0x00560500 | 86;
    auto [status, message] = refusal(&header, sizeof header);
    EXPECT_EQ(status, Status::no_binary_for_gpu);
    EXPECT_NE(message.find("sm_86"), std::string::npos) << message;
    EXPECT_NE(message.find("-gencode arch=compute_86,code=compute_86"), std::string::npos) << message;
    header.e_ident[EI_ABIVERSION] = 8;
    header.e_flags = 0x06000002 | 120 << 8;
    EXPECT_NE(refusal(&header, 0).second.find("sm_120"), std::string::npos);
    header.e_machine = EM_X86_64;
    EXPECT_EQ(refusal(&header, sizeof header).first, Status::invalid_image);
    EXPECT_EQ(refusal(&header, 20).first, Status::invalid_image);
}

TEST(Fatbin, Encodings) {
    EntryBytes plain = ptx(80);
    plain.payload = text;
    EntryBytes small = plain, fast = plain;
    small.payload = zstd(text);
    small.flags |= 0x8000;
    fast.payload = lz4(text);
    fast.flags |= 0x2000;
    small.compressed = fast.compressed = true;
    small.uncompressed_size = fast.uncompressed_size = text.size();
    small.options = "H...--compile-only";
    for (const EntryBytes& entry : {plain, small, fast}) {
        const std::vector<uint8_t> bytes = make_fatbin({sass(75), entry});
        EXPECT_EQ(load(bytes), text);
        EXPECT_EQ(ModuleSource::from_image(bytes.data(), 0, 89).ptx.at(0), text);
    }
}

TEST(Fatbin, SizesThatLie) {
    EntryBytes entry = ptx(80);
    entry.compressed = true;
    for (const uint64_t flag : {0x2000, 0x8000}) {
        entry.flags = 0x11 | flag;
        entry.payload = flag == 0x2000 ? lz4(text) : zstd(text);
        for (const uint64_t size : {uint64_t{0}, text.size() - 1, text.size() + 1, uint64_t{1} << 31, ~uint64_t{0}}) {
            entry.uncompressed_size = size;
            EXPECT_EQ(refusal(make_fatbin({entry})).first, Status::invalid_image) << size;
        }
        entry.uncompressed_size = text.size();
        entry.payload.resize(entry.payload.size() / 2);
        EXPECT_EQ(refusal(make_fatbin({entry})).first, Status::invalid_image);
        entry.payload = "not compressed at all, whatever the flag says";
        EXPECT_EQ(refusal(make_fatbin({entry})).first, Status::invalid_image);
    }
}

TEST(Fatbin, EveryTruncation) {
    const std::vector<uint8_t> bytes = make_fatbin({sass(80), ptx(80)});
    for (size_t size = 5; size < bytes.size(); ++size) {
        const std::vector<uint8_t> part(bytes.begin(), bytes.begin() + ptrdiff_t(size));
        EXPECT_EQ(refusal(part).first, Status::invalid_image) << size;
    }
}

TEST(Fatbin, ChoosesByComputeCapability) {
    const auto choose = [](std::vector<EntryBytes> entries, int compute_capability) {
        return load(make_fatbin(entries), compute_capability).substr(16);
    };
    EXPECT_EQ(choose({ptx(75), ptx(80), ptx(90)}, 89), "80");
    EXPECT_EQ(choose({ptx(90), ptx(80), ptx(75)}, 90), "90");
    EXPECT_EQ(choose({ptx(120), ptx(90), ptx(100)}, 89), "90");
    EXPECT_EQ(choose({ptx(121), sass(80)}, 89), "121");
    EXPECT_EQ(choose({ptx(90, 0x100000), ptx(90)}, 90), "90");
    EXPECT_EQ(choose({ptx(90, 0x100000), ptx(75)}, 90), "75");
    EXPECT_EQ(choose({ptx(90, 0x100000)}, 90), "90x");
    EXPECT_EQ(choose({ptx(100, 0x200000)}, 103), "100x");
    EntryBytes newer = ptx(80);
    newer.minor = 1;
    newer.payload += "n";
    EXPECT_EQ(choose({ptx(80), newer}, 89), "80n");
}

TEST(Fatbin, NothingToChoose) {
    const auto [status, message] = refusal(make_fatbin({sass(90), sass(80), ptx(100, 0x200000), ptx(90, 0x100000)}));
    EXPECT_EQ(status, Status::no_binary_for_gpu);
    for (const char* part : {"sm_80, sm_90", "compute_90a, compute_100f", "-gencode arch=compute_80,code=compute_80"})
        EXPECT_NE(message.find(part), std::string::npos) << message;
    EXPECT_EQ(refusal(make_fatbin({})).first, Status::no_binary_for_gpu);
    std::vector<uint8_t> ancient = make_fatbin({ptx(20)});
    const uint32_t magic = code::ancient_fatbin_magic;
    std::memcpy(ancient.data(), &magic, sizeof magic);
    EXPECT_NE(refusal(ancient).second.find("CUDA 4"), std::string::npos);
}

TEST(Wrapper, Versions) {
    const std::vector<uint8_t> first = make_fatbin({ptx(80)}), second = make_fatbin({sass(75), ptx(75)}),
                               linked = make_fatbin({sass(80)});
    code::FatbinWrapper wrapper{code::wrapper_magic, 1, first.data(), nullptr};
    EXPECT_EQ(ModuleSource::from_image(&wrapper, 0, 89).ptx.at(0).substr(16), "80");
    EXPECT_EQ(ModuleSource::from_image(&wrapper, sizeof wrapper, 89).ptx.size(), 1u);
    EXPECT_EQ(refusal(&wrapper, sizeof wrapper - 1).first, Status::invalid_image);
    wrapper.data = nullptr;
    EXPECT_EQ(refusal(&wrapper, 0).first, Status::invalid_image);

    const void* const all[] = {first.data(), linked.data(), second.data(), nullptr};
    wrapper = {code::wrapper_magic, 2, linked.data(), all};
    const ModuleSource source = ModuleSource::from_image(&wrapper, 0, 89);
    ASSERT_EQ(source.ptx.size(), 2u);
    EXPECT_EQ(source.ptx[0].substr(16), "80");
    EXPECT_EQ(source.ptx[1].substr(16), "75");

    const void* const none[] = {nullptr};
    wrapper.linked = none;
    EXPECT_TRUE(ModuleSource::from_image(&wrapper, 0, 89).ptx.empty());
    wrapper.data = first.data();
    EXPECT_EQ(ModuleSource::from_image(&wrapper, 0, 89).ptx.size(), 1u);
    const void* const sass_only[] = {linked.data(), nullptr};
    wrapper.linked = sass_only;
    EXPECT_EQ(refusal(&wrapper, 0).first, Status::no_binary_for_gpu);
    wrapper.version = 3;
    EXPECT_EQ(refusal(&wrapper, 0).first, Status::invalid_image);
}

/// Whatever happens to the bytes, an Error comes out or a text, and the sanitizer sees no bad access.
TEST(Fatbin, SurvivesMutation) {
    EntryBytes small = ptx(80), fast = ptx(75);
    small.payload = zstd(text);
    fast.payload = lz4(text);
    small.flags |= 0x8000;
    fast.flags |= 0x2000;
    small.compressed = fast.compressed = true;
    small.uncompressed_size = fast.uncompressed_size = text.size();
    const std::vector<uint8_t> good = make_fatbin({sass(80), fast, small, ptx(70)});
    std::mt19937 random(1);
    const char* rounds_text = std::getenv("CUTTLE_TEST_MUTATIONS");
    const int rounds = rounds_text != nullptr ? std::atoi(rounds_text) : 20000;
    int refused = 0;
    for (int i = 0; i < rounds; ++i) {
        std::vector<uint8_t> bytes = good;
        for (unsigned n = 1 + random() % 4; n > 0; --n) bytes[random() % bytes.size()] = uint8_t(random());
        if (random() % 4 == 0) bytes.resize(1 + random() % bytes.size());
        bytes.shrink_to_fit();
        const Status status = refusal(bytes.data(), bytes.size(), 70 + int(random() % 30)).first;
        EXPECT_TRUE(status == Status::success || status == Status::invalid_image ||
                    status == Status::no_binary_for_gpu);
        refused += status != Status::success;
    }
    EXPECT_GT(refused, rounds / 20);
    EXPECT_LT(refused, rounds);
}

} // namespace
