#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

/// The byte form: integers little-endian at their own width, bool as one byte, strings and vectors as u64 count and
/// then the elements, structures as their fields in the order that fields() lists them. No padding, no tags.
namespace ptx::archive {

template <class T, class U>
concept Is = std::same_as<std::remove_const_t<T>, U>;
template <class T>
concept Number = std::integral<T> && !std::same_as<T, bool>;

class Writer {
  public:
    template <class... T> void operator()(const T&... values) { (write(values), ...); }
    std::vector<uint8_t> take() { return std::move(bytes_); }

  private:
    void write_raw(const void* data, size_t size) {
        const auto* first = static_cast<const uint8_t*>(data);
        bytes_.insert(bytes_.end(), first, first + size);
    }
    template <Number T> void write(T value) { write_raw(&value, sizeof value); }
    void write(bool value) { bytes_.push_back(value ? 1 : 0); }
    template <class T>
    requires std::is_enum_v<T>
    void write(T value) { write(static_cast<std::underlying_type_t<T>>(value)); }
    void write(const std::string& value) {
        write(uint64_t{value.size()});
        write_raw(value.data(), value.size());
    }
    template <class T> void write(const std::vector<T>& values) {
        write(uint64_t{values.size()});
        if constexpr (std::same_as<T, uint8_t>)
            write_raw(values.data(), values.size());
        else
            for (const T& value : values) write(value);
    }
    template <class T, size_t N> void write(const std::array<T, N>& values) {
        for (const T& value : values) write(value);
    }
    template <class T>
    requires std::is_class_v<T>
    void write(const T& value) { fields(*this, value); }

    std::vector<uint8_t> bytes_;
};

/// Throws std::runtime_error before reading past the end and before allocating what the bytes left cannot hold.
class Reader {
  public:
    explicit Reader(std::span<const uint8_t> bytes) : rest_(bytes) {}
    template <class... T> void operator()(T&... values) { (read(values), ...); }
    void expect_end() const {
        if (!rest_.empty()) fail("bytes left over");
    }
    [[noreturn]] static void fail(const char* why) { throw std::runtime_error(std::string("damaged data: ") + why); }

  private:
    /// No element of a vector, but for bytes, takes less; bounds what a lying count can make us allocate.
    static constexpr size_t smallest_element = 8;

    void read_raw(void* data, size_t size) {
        if (size > rest_.size()) fail("truncated");
        if (size != 0) std::memcpy(data, rest_.data(), size);
        rest_ = rest_.subspan(size);
    }
    size_t read_count(size_t element_size) {
        uint64_t count = 0;
        read(count);
        if (count > rest_.size() / element_size) fail("a length goes past the end");
        return static_cast<size_t>(count);
    }
    template <Number T> void read(T& value) { read_raw(&value, sizeof value); }
    void read(bool& value) {
        uint8_t byte = 0;
        read(byte);
        if (byte > 1) fail("a truth value is neither 0 nor 1");
        value = byte == 1;
    }
    template <class T>
    requires std::is_enum_v<T>
    void read(T& value) {
        std::underlying_type_t<T> number = 0;
        read(number);
        if (number > last_enumerator(T{})) fail("an enumerator is out of range");
        value = static_cast<T>(number);
    }
    void read(std::string& value) {
        value.resize(read_count(1));
        read_raw(value.data(), value.size());
    }
    template <class T> void read(std::vector<T>& values) {
        if constexpr (std::same_as<T, uint8_t>) {
            values.resize(read_count(1));
            read_raw(values.data(), values.size());
        } else {
            const size_t count = read_count(smallest_element);
            values.clear();
            for (size_t i = 0; i < count; ++i) read(values.emplace_back());
        }
    }
    template <class T, size_t N> void read(std::array<T, N>& values) {
        for (T& value : values) read(value);
    }
    template <class T>
    requires std::is_class_v<T>
    void read(T& value) { fields(*this, value); }

    std::span<const uint8_t> rest_;
};

} // namespace ptx::archive
