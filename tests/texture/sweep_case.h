#pragma once

#include "api/constants.h"
#include "api/types.h"

#include <cstdint>
#include <string>
#include <vector>

/// The texture sweep: named configurations of a texture and an instruction, each sampled at some hundred places. Runs
/// on any libcuda.so.1; what an H100 answered is in expected.bin.
namespace sweep {

enum class Geometry : uint8_t { d1, d2, d3, a1d, a2d, cube, acube, linear, pitch2d };
enum class Content : uint8_t {
    random,
    ramp,
    impulse,
    special,
    level, ///< 256 times the level: what a filter between levels gives is the level of detail in 1/256
    zero
};
enum class Places : uint8_t {
    mixed,      ///< all over and around the texture, texel borders and centres, NaN, infinities, huge
    fine,       ///< steps of 1/4096 of a texel from -1 on, along the diagonal
    weights,    ///< within one texel square: all 256 positions and what lies between them
    directions, ///< for cubes: random directions, ties between axes, zeros and specials
    levels,     ///< mixed, with levels of detail from -2 to levels + 2
    gradients,  ///< gradients of a texel to 64, in all proportions
    texels,     ///< each texel once, some beside; what is stored there is in the gradients' words
};

struct Case {
    std::string name;
    Geometry geometry = Geometry::d2;
    unsigned width = 13, height = 7, depth = 5; ///< texels; depth: layers, where there are layers
    unsigned levels = 1;                        ///< more than one: a mipmapped array
    int format = shim::CU_AD_FORMAT_FLOAT;
    unsigned channels = 1;
    unsigned array_flags = 0;
    int filter = 0, mip_filter = 0;
    int address[3] = {1, 1, 1};
    unsigned flags = 0; ///< CU_TRSF_*
    unsigned anisotropy = 0;
    float bias = 0, least_level = 0, most_level = 99;
    float border[4] = {0, 0, 0, 0};
    int view_format = 0; ///< not 0: a resource view
    unsigned view_width = 0, view_height = 0, view_depth = 0, first_level = 0, last_level = 0, first_layer = 0,
             last_layer = 0;
    std::string opcode = "tex"; ///< with .level, .grad, .base; tld4.r ...; suld.b, sust.p, sured.b.add; txq.width
    std::string tail;           ///< operands behind the address, without level and gradients: offsets, a comparison
    std::string result = "f32", coordinate = "f32";
    std::string clamp; ///< surfaces: trap, clamp or zero
    Content content = Content::random;
    Places places = Places::mixed;
    unsigned samples = 200;
    unsigned words = 0; ///< results kept of each sample; 0: as many as the texture has channels
    float gradient = 1; ///< scale of the gradients
};

/// Sixteen words, as kernels read them: coordinates, layer, level or reference, gradients, offsets.
struct Sample {
    uint32_t coordinate[3];
    int32_t layer;
    float level;
    float ddx[3], ddy[3];
    int32_t offset[3];
    uint32_t unused[2];
};

std::vector<Case> cases();           ///< those with an expected result
std::vector<Case> exploring_cases(); ///< denser ones, for finding out how the hardware works

std::vector<Sample> samples_of(const Case&);
/// The texels of a level, tightly packed: width, height, depth or layers as the level has them.
std::vector<uint8_t> texels_of(const Case&, unsigned level);
unsigned channel_bytes(int format);
/// Whether what a case gives is its texture afterwards.
bool stores(const Case&);
/// The module's text: one kernel, `sample(handle, samples, results, count)`.
std::string ptx_of(const Case&);

/// What a case gave: CUDA's status of the first call that failed, and the words.
struct Result {
    int32_t status = 0;
    std::vector<uint32_t> words;
};
Result run(const Case&);

/// Deterministic and the same everywhere.
class Random {
  public:
    explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15ull + 1) {}
    uint32_t word() {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return uint32_t(state_ >> 32);
    }
    uint32_t below(uint32_t n) { return uint32_t(uint64_t(word()) * n >> 32); }
    float uniform(float low, float high) { return low + (high - low) * (float(word() >> 8) * 0x1p-24f); }

  private:
    uint64_t state_;
};
uint64_t seed_of(const std::string& name);

} // namespace sweep
