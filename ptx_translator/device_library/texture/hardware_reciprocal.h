#pragma once

#include "texture/numbers.h"

/// MUFU.RCP, the reciprocal of NVIDIA's special function unit, as an H100 computes it. Measured: the results of all
/// 2^23 fractions at one exponent, and of 65 536 floats of all exponents, agree to the bit. The scheme is that of S. F.
/// Oberman and M. Y. Siu, "A High-Performance Area-Efficient Multifunction Interpolator" (ARITH-17, 2005). The
/// coefficients, the columns that the square lacks and the rounding constant were solved for from what was measured.
namespace texture {

/// On one of 128 parts of [1, 2): constant - slope * x + curvature * x^2, where x counts the 65 536 floats of the part.
struct ReciprocalPart {
    uint32_t constant;  ///< above one half, in 2^-26
    uint16_t slope;     ///< in 2^-39 a float
    uint16_t curvature; ///< in 2^-24 of the part's length squared
};

// clang-format off
constexpr ReciprocalPart reciprocal_parts[128] = {
    {33554432, 65534, 1013}, {33034210, 64522, 989}, {32521990, 63533, 966}, {32017589, 62567, 945},
    {31520830, 61622, 923}, {31031544, 60699, 902}, {30549560, 59797, 883}, {30074714, 58914, 863},
    {29606852, 58051, 845}, {29145822, 57207, 827}, {28691473, 56381, 809}, {28243659, 55572, 791},
    {27802245, 54781, 774}, {27367092, 54007, 758}, {26938067, 53249, 742}, {26515042, 52507, 727},
    {26097893, 51780, 711}, {25686498, 51068, 696}, {25280738, 50371, 682}, {24880498, 49688, 669},
    {24485667, 49019, 656}, {24096137, 48363, 642}, {23711799, 47721, 631}, {23332554, 47091, 618},
    {22958297, 46473, 605}, {22588934, 45868, 594}, {22224366, 45274, 582}, {21864502, 44692, 572},
    {21509254, 44121, 561}, {21158529, 43560, 549}, {20812245, 43011, 540}, {20470315, 42471, 529},
    {20132661, 41942, 519}, {19799201, 41423, 510}, {19469856, 40913, 501}, {19144555, 40412, 490},
    {18823219, 39921, 482}, {18505780, 39439, 474}, {18192164, 38965, 465}, {17882305, 38500, 457},
    {17576133, 38043, 449}, {17273585, 37594, 441}, {16974597, 37153, 433}, {16679106, 36720, 426},
    {16387050, 36294, 418}, {16098371, 35876, 412}, {15813010, 35464, 403}, {15530910, 35060, 397},
    {15252017, 34663, 390}, {14976273, 34272, 383}, {14703628, 33888, 377}, {14434032, 33511, 371},
    {14167429, 33140, 366}, {13903772, 32774, 358}, {13643012, 32415, 353}, {13385102, 32062, 348},
    {13129997, 31714, 341}, {12877650, 31373, 337}, {12628014, 31036, 331}, {12381048, 30705, 326},
    {12136711, 30379, 320}, {11894960, 30059, 316}, {11655753, 29743, 310}, {11419049, 29432, 305},
    {11184812, 29127, 302}, {10953004, 28826, 297}, {10723584, 28529, 291}, {10496516, 28237, 287},
    {10271767, 27950, 283}, {10049298, 27667, 279}, {9829078, 27388, 274}, {9611071, 27114, 271},
    {9395243, 26843, 266}, {9181563, 26577, 263}, {8969998, 26314, 258}, {8760518, 26056, 256}, {8553093, 25801, 251},
    {8347690, 25550, 248}, {8144282, 25302, 243}, {7942838, 25058, 240}, {7743332, 24818, 237}, {7545736, 24581, 233},
    {7350021, 24348, 231}, {7156161, 24117, 226}, {6964129, 23890, 223}, {6773901, 23667, 222}, {6585451, 23446, 218},
    {6398754, 23228, 214}, {6213786, 23014, 212}, {6030523, 22802, 208}, {5848939, 22593, 205}, {5669016, 22388, 204},
    {5490727, 22184, 199}, {5314052, 21984, 197}, {5138969, 21787, 196}, {4965456, 21592, 193}, {4793492, 21399, 189},
    {4623057, 21209, 186}, {4454131, 21022, 184}, {4286691, 20837, 182}, {4120722, 20655, 180}, {3956201, 20475, 178},
    {3793111, 20297, 175}, {3631434, 20122, 173}, {3471150, 19949, 171}, {3312241, 19778, 169}, {3154692, 19609, 166},
    {2998483, 19443, 165}, {2843598, 19278, 161}, {2690020, 19116, 160}, {2537732, 18956, 159}, {2386719, 18797, 155},
    {2236964, 18641, 154}, {2088452, 18487, 153}, {1941167, 18334, 150}, {1795096, 18184, 149}, {1650220, 18035, 147},
    {1506527, 17888, 145}, {1364004, 17743, 143}, {1222632, 17600, 143}, {1082403, 17458, 140}, {943300, 17318, 138},
    {805309, 17180, 137}, {668417, 17043, 135}, {532612, 16908, 133}, {397881, 16775, 132}, {264209, 16643, 131},
    {131587, 16513, 130},
};
// clang-format on

/// x^2 / 2^17, without the partial products whose weight is below 2^17: these are not added up, so they carry nothing.
inline uint32_t truncated_square(uint32_t x) {
    const uint32_t high = x >> 8;
    uint32_t square = high * high >> 1;
    for (int k = 1; k < 8; ++k) square += (x >> k & 1) * (x >> (16 - k));
    return square;
}

/// Subnormals are zeros, of arguments and of results; NaN becomes the canonical one.
inline float hardware_reciprocal(float value) {
    const uint32_t bits = bits_of(value), sign = bits & 0x80000000, exponent = bits >> 23 & 255,
                   fraction = bits & 0x7fffff;
    if (exponent == 255) return float_of(fraction ? canonical_nan : sign);
    if (exponent == 0) return float_of(sign | 0x7f800000);
    const ReciprocalPart& part = reciprocal_parts[fraction >> 16];
    const uint32_t x = fraction & 0xffff;
    constexpr uint64_t rounding = 2023; // of 2^15
    const uint64_t sum = (static_cast<uint64_t>(part.constant) << 13) + rounding +
                         static_cast<uint64_t>(part.curvature) * truncated_square(x) -
                         static_cast<uint64_t>(part.slope) * x;
    const auto above_half = static_cast<uint32_t>(sum >> 15); // in 2^-24; 2^23 of a quotient of one
    const int to = 253 - static_cast<int>(exponent);          // of a quotient below 1
    if (to < 0 || (to == 0 && above_half < 1u << 23)) return float_of(sign);
    return float_of(sign | ((static_cast<uint32_t>(to) << 23) + above_half));
}

} // namespace texture
