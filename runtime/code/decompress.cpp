#include "code/decompress.h"

#include "rt/error.h"

#include <fmt/format.h>
#include <lz4.h>
#include <zstd.h>

#include <climits>

namespace rt::code {
namespace {

constexpr uint64_t largest = uint64_t{1} << 30;

template <class... A> [[noreturn]] void refuse(fmt::format_string<A...> format, A&&... arguments) {
    throw Error(Status::invalid_image, "compressed code: " + fmt::format(format, std::forward<A>(arguments)...));
}

void check_size(std::span<const uint8_t> data, uint64_t size) {
    if (data.empty()) refuse("empty");
    if (data.size() > INT_MAX) refuse("{} bytes are too many", data.size());
    if (size == 0) refuse("its size is not given");
    if (size > largest) refuse("it says that it unpacks to {} bytes, which is too many", size);
}

} // namespace

std::string decompress_lz4(std::span<const uint8_t> block, uint64_t size) {
    check_size(block, size);
    // A byte of an LZ4 block stands for 255 bytes at most.
    if (size > 255 * uint64_t{block.size()}) refuse("{} bytes cannot unpack to {}", block.size(), size);
    std::string text(size, '\0');
    const int got =
        LZ4_decompress_safe(reinterpret_cast<const char*>(block.data()), text.data(), int(block.size()), int(size));
    if (got < 0) refuse("damaged LZ4 block");
    if (uint64_t(got) != size) refuse("the LZ4 block has {} bytes, not {} as declared", got, size);
    return text;
}

std::string decompress_zstd(std::span<const uint8_t> frame, uint64_t size) {
    check_size(frame, size);
    const unsigned long long declared = ZSTD_getFrameContentSize(frame.data(), frame.size());
    if (declared == ZSTD_CONTENTSIZE_ERROR) refuse("no zstd frame");
    if (declared != ZSTD_CONTENTSIZE_UNKNOWN && declared != size)
        refuse("the zstd frame has {} bytes, not {} as declared", declared, size);
    std::string text(size, '\0');
    const size_t got = ZSTD_decompress(text.data(), text.size(), frame.data(), frame.size());
    if (ZSTD_isError(got)) refuse("damaged zstd frame: {}", ZSTD_getErrorName(got));
    if (got != size) refuse("the zstd frame has {} bytes, not {} as declared", got, size);
    return text;
}

} // namespace rt::code
