// Which pixels im2col::w and im2col::w::128 take. No machine with them (compute capability 10.0) was at hand: what is
// expected follows, by hand, the examples of PTX ISA 5.5.5. An interpretation of ours: halo pixels are the next ones of the
// same walk, from one image to the next, and the 32 pixels behind a halo start where those before it ended.
#include "backend/cpu/tensor_tile.h"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>

namespace {

using namespace rt::backend::cpu;

/// 128 images of `height` x `width` pixels of 64 bytes each.
ptx::TensorMap images(uint32_t height, uint32_t width, int lower, int upper, uint32_t step, bool by_32) {
    ptx::TensorMap map{};
    map.address = 1 << 20;
    map.mark = ptx::TensorMap::valid;
    map.rank = 4;
    map.traversal = by_32 ? ptx::TensorTraversal::im2col_w_128 : ptx::TensorTraversal::im2col_w;
    const uint32_t extents[] = {64, width, height, 128};
    uint64_t stride = 64;
    for (int d = 0; d < 4; d++) {
        map.last[d] = extents[d] - 1;
        map.element_strides[d] = 1;
        if (d == 3) break;
        map.strides[d] = stride;
        stride *= extents[d + 1];
    }
    map.element_strides[1] = uint8_t(step);
    map.lower[0] = int16_t(lower);
    map.upper[0] = int16_t(upper);
    map.box[0] = 64;
    map.box[1] = 128;
    return map;
}

struct Pixel {
    int64_t image, line, column;
    bool inside;
    bool operator==(const Pixel&) const = default;
};

std::vector<Pixel> pixels(const ptx::TensorMap& map, std::array<int, 4> at, int halo, int offset) {
    const bool by_32 = map.traversal == ptx::TensorTraversal::im2col_w_128;
    TileRequest request{by_32 ? ptx::host::TensorMode::im2col_w_128 : ptx::host::TensorMode::im2col_w, {}, {halo, offset, 0}};
    std::copy(at.begin(), at.end(), request.at);
    std::string error;
    const auto rows = rows_of(map, request, &error);
    EXPECT_EQ(error, "");
    std::vector<Pixel> result;
    for (const TileRow& row : rows) {
        EXPECT_EQ(row.shared, result.size() * 64);
        EXPECT_EQ(row.bytes, 64u);
        // A column beyond its line looks like one of the next, but is not inside.
        const int64_t index = (int64_t(row.global) - int64_t(map.address)) / 64;
        const int64_t width = map.last[1] + 1, height = map.last[2] + 1;
        const bool inside = row.end > row.begin;
        if (inside)
            result.push_back({index / width / height, index / width % height, index % width, true});
        else
            result.push_back({-1, -1, index, false});
    }
    return result;
}

TEST(TensorTileTest, PixelsAlongWithHalosAtTheEnd) {
    const auto got = pixels(images(9, 7, 0, 0, 1, false), {0, 3, 2, 7}, 2, 0);
    ASSERT_EQ(got.size(), 130u);
    EXPECT_EQ(got[0], (Pixel{7, 2, 3, true}));
    EXPECT_EQ(got[3], (Pixel{7, 2, 6, true}));
    EXPECT_EQ(got[4], (Pixel{8, 2, 0, true}));
    EXPECT_EQ(got[11], (Pixel{9, 2, 0, true}));
    EXPECT_EQ(got[127], (Pixel{25, 2, 4, true}));
    EXPECT_EQ(got[128], (Pixel{25, 2, 5, true}));
    EXPECT_EQ(got[129], (Pixel{25, 2, 6, true}));
}

TEST(TensorTileTest, HalosBehindEach32Pixels) {
    const auto got = pixels(images(9, 7, 0, 0, 1, true), {0, 3, 2, 7}, 2, 0);
    ASSERT_EQ(got.size(), 136u);
    const auto pixel = [](int k) { return Pixel{7 + (k + 3) / 7, 2, (k + 3) % 7, true}; };
    for (int group = 0; group < 4; group++)
        for (int k = 0; k < 34; k++) EXPECT_EQ(got[size_t(34 * group + k)], pixel(32 * group + k)) << group << " " << k;
}

TEST(TensorTileTest, StepsOfTwoInTwoBuffers) {
    const auto map = images(9, 67, -1, 0, 2, false);
    const auto first = pixels(map, {0, -1, 2, 7}, 1, 0), second = pixels(map, {0, -1, 2, 7}, 0, 1);
    ASSERT_EQ(first.size(), 129u);
    ASSERT_EQ(second.size(), 128u);
    EXPECT_FALSE(first[0].inside); // column -1
    EXPECT_EQ(first[1], (Pixel{7, 2, 1, true}));
    EXPECT_EQ(first[33], (Pixel{7, 2, 65, true}));
    EXPECT_FALSE(first[34].inside);
    EXPECT_EQ(first[35], (Pixel{8, 2, 1, true}));
    EXPECT_EQ(first[128], (Pixel{10, 2, 51, true}));
    EXPECT_EQ(second[0], (Pixel{7, 2, 0, true}));
    EXPECT_EQ(second[33], (Pixel{7, 2, 66, true}));
    EXPECT_EQ(second[34], (Pixel{8, 2, 0, true}));
}

TEST(TensorTileTest, StepsOfThreeInThreeBuffers) {
    const auto map = images(7, 7, -1, -1, 3, false);
    const int columns[3][3] = {{-1, 2, 5}, {0, 3, 6}, {1, 4, 7}};
    for (int offset = 0; offset < 3; offset++) {
        const auto got = pixels(map, {0, -1, 2, 7}, 0, offset);
        ASSERT_EQ(got.size(), 128u);
        for (int k = 0; k < 128; k++) {
            const int column = columns[offset][k % 3];
            const bool inside = column >= 0 && column < 7;
            EXPECT_EQ(got[size_t(k)].inside, inside) << offset << " " << k;
            if (inside) {
                EXPECT_EQ(got[size_t(k)], (Pixel{7 + k / 3, 2, column, true})) << offset << " " << k;
            }
        }
    }
}

TEST(TensorTileTest, MapsAreForOneMode) {
    TileRequest request{ptx::host::TensorMode::im2col, {}, {}};
    std::string error;
    EXPECT_TRUE(rows_of(images(9, 7, 0, 0, 1, false), request, &error).empty());
    EXPECT_NE(error.find("another mode"), error.npos);
}

} // namespace
