// cuTensorMap*: each row is what an H100's driver answered.
#include "driver_fixture.h"

#include <functional>
#include <string>
#include <vector>

using namespace shim;

namespace {

struct Tiled {
    int type = 7, rank = 2;
    uint64_t address = 1 << 20;
    std::vector<cuuint64_t> extents{64, 64, 4, 4, 4, 4}, strides{256, 16384, 65536, 262144, 1048576};
    std::vector<cuuint32_t> box{16, 16, 1, 1, 1, 1}, steps{1, 1, 1, 1, 1, 1};
    int interleave = 0, swizzle = 0, l2 = 0, fill = 0;

    int encode() const {
        CUtensorMap map;
        return cuTensorMapEncodeTiled(&map, type, cuuint32_t(rank), reinterpret_cast<void*>(address), extents.data(),
                                      strides.data(), box.data(), steps.data(), interleave, swizzle, l2, fill);
    }
};

struct Im2col {
    int type = 6, rank = 4;
    std::vector<cuuint64_t> extents{32, 12, 10, 3, 1, 1}, strides{64, 768, 7680, 76800, 76800};
    std::vector<int> lower{-1, -1, 0}, upper{-1, -1, 0};
    cuuint32_t channels = 16, pixels = 32;
    std::vector<cuuint32_t> steps{1, 1, 1, 1, 1, 1};
    int interleave = 0, swizzle = 0, fill = 0;

    int encode() const {
        CUtensorMap map;
        return cuTensorMapEncodeIm2col(&map, type, cuuint32_t(rank), reinterpret_cast<void*>(1 << 20), extents.data(),
                                       strides.data(), lower.data(), upper.data(), channels, pixels, steps.data(),
                                       interleave, swizzle, 0, fill);
    }
};

template <class T> struct Row {
    std::string name;
    std::function<void(T&)> change;
    bool accepted;
};

template <class T> void check(const std::vector<Row<T>>& rows) {
    for (const Row<T>& row : rows) {
        T map;
        row.change(map);
        EXPECT_EQ(map.encode(), row.accepted ? 0 : 1) << row.name;
    }
}

/// Rows for several values of one field.
template <class T, class V> void add(std::vector<Row<T>>& rows, const char* name, std::vector<V> values,
                                     std::function<void(T&, V)> change, bool accepted) {
    for (V value : values)
        rows.push_back({name + (" " + std::to_string(value)), [=](T& map) { change(map, value); }, accepted});
}

using TensorMapTest = Driver;

TEST_F(TensorMapTest, Tiled) {
    std::vector<Row<Tiled>> rows;
    const auto each = [&](const char* name, std::vector<int64_t> good, std::vector<int64_t> bad,
                          std::function<void(Tiled&, int64_t)> change) {
        add<Tiled, int64_t>(rows, name, good, change, true);
        add<Tiled, int64_t>(rows, name, bad, change, false);
    };
    each("type", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {-1, 13, 14, 15, 16, 17},
         [](Tiled& m, int64_t v) { m.type = int(v); });
    each("rank", {1, 2, 3, 4, 5}, {0, 6}, [](Tiled& m, int64_t v) { m.rank = int(v); });
    each("address", {16, 32, 64, 128, 0}, {1, 4, 8}, [](Tiled& m, int64_t v) { m.address = uint64_t(v); });
    each("extent 0", {1, 15, 4294967295, 4294967296}, {0, 4294967297, 8589934592},
         [](Tiled& m, int64_t v) { m.extents[0] = uint64_t(v); });
    each("extent 1", {1, 15, 4294967295, 4294967296}, {0, 4294967297, 8589934592},
         [](Tiled& m, int64_t v) { m.extents[1] = uint64_t(v); });
    each("stride", {0, 16, 32, 128, 256, 272, int64_t{1} << 39, (int64_t{1} << 40) - 16},
         {8, 15, 255, 264, int64_t{1} << 40, (int64_t{1} << 40) + 16},
         [](Tiled& m, int64_t v) { m.strides[0] = uint64_t(v); });
    each("box 0", {4, 8, 64, 128, 256}, {0, 1, 2, 3, 5, 63, 65, 257, 512},
         [](Tiled& m, int64_t v) { m.box[0] = cuuint32_t(v), m.box[1] = 4; });
    each("box 0 of bytes", {64, 128, 256}, {0, 1, 2, 3, 4, 5, 8, 63, 65, 257, 512},
         [](Tiled& m, int64_t v) { m.type = 0, m.box[0] = cuuint32_t(v), m.box[1] = 4; });
    each("box 1", {1, 2, 3, 5, 63, 65, 256}, {0, 257, 512}, [](Tiled& m, int64_t v) { m.box[1] = cuuint32_t(v); });
    each("box of 1 KiB times", {100, 128, 200, 220, 224, 227, 228}, {230, 240, 255, 256},
         [](Tiled& m, int64_t v) { m.box[0] = 256, m.box[1] = cuuint32_t(v); });
    each("step 0", {1, 2, 7, 8}, {0, 9, 16}, [](Tiled& m, int64_t v) { m.steps[0] = cuuint32_t(v); });
    each("step 1", {1, 2, 7, 8}, {0, 9, 16}, [](Tiled& m, int64_t v) { m.steps[1] = cuuint32_t(v); });
    each("swizzle", {0, 1, 2, 3}, {-1, 4, 5, 6, 7, 8}, [](Tiled& m, int64_t v) { m.swizzle = int(v), m.box[0] = 8; });
    each("box in 32 bytes", {4, 8}, {16, 32, 64}, [](Tiled& m, int64_t v) { m.swizzle = 1, m.box[0] = cuuint32_t(v); });
    each("box in 64 bytes", {4, 8, 16}, {32, 64}, [](Tiled& m, int64_t v) { m.swizzle = 2, m.box[0] = cuuint32_t(v); });
    each("box in 128 bytes", {4, 8, 16, 32}, {64},
         [](Tiled& m, int64_t v) { m.swizzle = 3, m.box[0] = cuuint32_t(v); });
    each("L2 promotion", {0, 1, 2, 3}, {-1, 4}, [](Tiled& m, int64_t v) { m.l2 = int(v); });
    each("fill", {0, 1}, {-1, 2}, [](Tiled& m, int64_t v) { m.fill = int(v); });
    each("NaN in type", {6, 7, 8, 9, 10, 11, 12}, {0, 2}, [](Tiled& m, int64_t v) { m.fill = 1, m.type = int(v); });
    for (int interleave : {-1, 0, 1, 2, 3})
        for (int swizzle : {0, 1, 2, 3})
            for (int rank : {2, 3, 4, 5})
                rows.push_back(
                    {"interleave " + std::to_string(interleave) + " swizzle " + std::to_string(swizzle) + " rank " +
                         std::to_string(rank),
                     [=](Tiled& m) {
                         m.interleave = interleave, m.swizzle = swizzle, m.rank = rank, m.type = 6;
                         m.extents = {16, 12, 10, 4, 3}, m.strides = {32, 384, 3840, 15360}, m.box = {8, 4, 3, 2, 1};
                     },
                     interleave == 0 || ((interleave == 1 || interleave == 2) && rank >= 3)});
    rows.push_back({"interleave by 32 with a stride of 16",
                    [](Tiled& m) {
                        m.interleave = 2, m.rank = 3, m.strides = {16, 384}, m.type = 6;
                    },
                    false});
    rows.push_back({"interleave by 32 at 16",
                    [](Tiled& m) {
                        m.interleave = 2, m.rank = 3, m.strides = {32, 384}, m.type = 6, m.address = 16;
                    },
                    false});
    check(rows);
}

TEST_F(TensorMapTest, Im2col) {
    std::vector<Row<Im2col>> rows;
    const auto each = [&](const char* name, std::vector<int> good, std::vector<int> bad,
                          std::function<void(Im2col&, int)> change) {
        add<Im2col, int>(rows, name, good, change, true);
        add<Im2col, int>(rows, name, bad, change, false);
    };
    each("rank", {3, 4, 5}, {1, 2, 6}, [](Im2col& m, int v) { m.rank = v; });
    each("lower", {-128, -17, -16, -8, 0, 1, 7, 8}, {-32769, -32768, -129, 15, 16, 127, 128, 32768},
         [](Im2col& m, int v) { m.lower[0] = v; });
    each("upper", {-8, 0, 1, 7, 8, 15, 16, 127}, {-32768, -129, -128, -17, -16, 128, 32767},
         [](Im2col& m, int v) { m.upper[1] = v; });
    each("lower of rank 3", {-32768, -129, -17, 0, 1, 8, 16}, {-32769, 127, 128, 32768}, [](Im2col& m, int v) {
        m.rank = 3, m.extents = {32, 20, 4}, m.strides = {64, 1280}, m.lower = {v}, m.upper = {0};
    });
    each("lower of rank 5", {-16, -8, 0, 1, 7}, {-129, -17, 8, 15, 16}, [](Im2col& m, int v) {
        m.rank = 5, m.extents = {16, 8, 7, 6, 2}, m.strides = {32, 256, 1792, 10752}, m.lower = {v, 0, 0},
        m.upper = {0, 0, 0};
    });
    each("channels", {8, 128, 256}, {0, 1, 2, 4, 9, 255, 257, 512},
         [](Im2col& m, int v) { m.channels = cuuint32_t(v); });
    each("pixels", {1, 256, 1023, 1024}, {0, 1025, 2048}, [](Im2col& m, int v) { m.pixels = cuuint32_t(v); });
    for (size_t axis : {0, 1, 3})
        each("step", {2, 8}, {0, 9}, [=](Im2col& m, int v) { m.steps[axis] = cuuint32_t(v); });
    each("swizzle", {0, 1, 2, 3}, {4, 5, 6, 7}, [](Im2col& m, int v) { m.swizzle = v, m.channels = 16; });
    each("64 channels, swizzle", {0, 3}, {1, 2}, [](Im2col& m, int v) { m.swizzle = v, m.channels = 64; });
    each("NaN in type", {6}, {1, 13, 14, 15}, [](Im2col& m, int v) { m.fill = 1, m.type = v; });
    check(rows);
}

TEST_F(TensorMapTest, Im2colWide) {
    for (int mode : {-1, 0, 1, 2})
        for (int swizzle : {0, 1, 2, 3, 4, 5}) {
            CUtensorMap map;
            const cuuint64_t extents[] = {64, 12, 10, 3}, strides[] = {128, 1536, 15360};
            const cuuint32_t steps[] = {1, 1, 1, 1};
            const bool accepted = (mode == 0 || mode == 1) && (swizzle == 0 || swizzle == 3);
            EXPECT_EQ(cuTensorMapEncodeIm2colWide(&map, 6, 4, reinterpret_cast<void*>(1 << 20), extents, strides, -1,
                                                  -1, 64, 32, steps, 0, mode, swizzle, 0, 0),
                      accepted ? 0 : 1)
                << mode << " " << swizzle;
        }
}

TEST_F(TensorMapTest, ReplaceAddress) {
    CUtensorMap map{};
    const cuuint64_t extents[] = {64, 64}, strides[] = {256};
    const cuuint32_t box[] = {16, 16}, steps[] = {1, 1};
    ASSERT_OK(
        cuTensorMapEncodeTiled(&map, 7, 2, reinterpret_cast<void*>(1 << 20), extents, strides, box, steps, 0, 0, 0, 0));
    EXPECT_OK(cuTensorMapReplaceAddress(&map, reinterpret_cast<void*>(4096)));
    CUtensorMap other{};
    ASSERT_OK(
        cuTensorMapEncodeTiled(&other, 7, 2, reinterpret_cast<void*>(4096), extents, strides, box, steps, 0, 0, 0, 0));
    EXPECT_EQ(0, memcmp(&map, &other, sizeof map));
    EXPECT_STATUS(invalid_value, cuTensorMapReplaceAddress(&map, reinterpret_cast<void*>(8)));
    EXPECT_STATUS(invalid_value, cuTensorMapReplaceAddress(&map, nullptr));
}

// An H100's driver crashes on most of these.
TEST_F(TensorMapTest, NothingGiven) {
    CUtensorMap map;
    const cuuint64_t extents[] = {64}, strides[] = {256};
    const cuuint32_t box[] = {16}, steps[] = {1};
    EXPECT_STATUS(invalid_value,
                  cuTensorMapEncodeTiled(nullptr, 7, 1, nullptr, extents, strides, box, steps, 0, 0, 0, 0));
    EXPECT_STATUS(invalid_value, cuTensorMapEncodeTiled(&map, 7, 1, nullptr, nullptr, strides, box, steps, 0, 0, 0, 0));
    EXPECT_STATUS(invalid_value, cuTensorMapEncodeTiled(&map, 7, 1, nullptr, extents, nullptr, box, steps, 0, 0, 0, 0));
    EXPECT_STATUS(invalid_value,
                  cuTensorMapEncodeTiled(&map, 7, 1, nullptr, extents, strides, nullptr, steps, 0, 0, 0, 0));
    EXPECT_STATUS(invalid_value,
                  cuTensorMapEncodeTiled(&map, 7, 1, nullptr, extents, strides, box, nullptr, 0, 0, 0, 0));
    EXPECT_OK(cuTensorMapEncodeTiled(&map, 7, 1, nullptr, extents, strides, box, steps, 0, 0, 0, 0));
}

} // namespace
