#pragma once

#include "simt_to_simd/shapes.h"
#include "simt_to_simd/slots.h"

#include <llvm/ADT/DenseMap.h>
#include <llvm/ADT/SmallVector.h>

#include <memory>
#include <vector>

namespace llvm {
class DataLayout;
class Function;
class Instruction;
} // namespace llvm

namespace ptx::simd {

/// Loads of a block, or stores, at addresses that are one number and constants, as those of a structure's elements are:
/// together they take what lies side by side. Loads are done where the first one is, stores where the last one is.
struct Bundle {
    struct Run {
        unsigned begin = 0, count = 0; ///< of places
    };
    llvm::SmallVector<llvm::Instruction*, 4> accesses;
    unsigned size = 0;                                        ///< of an element, in bytes
    llvm::SmallVector<int64_t, 128> places;                   ///< in bytes from the doer's address in the first lane
    llvm::SmallVector<llvm::SmallVector<unsigned, 32>, 4> of; ///< the accesses' places, by lane
    llvm::SmallVector<Run, 32> runs;                          ///< places side by side

    bool loads() const;
    llvm::Instruction* doer() const { return loads() ? accesses.front() : accesses.back(); }
    /// Loads and stores that it takes, each of at most so many elements.
    unsigned pieces(unsigned most) const;
};

class Bundles {
  public:
    Bundles() = default;
    /// Of accesses that all lanes come by, where it is worth it.
    Bundles(llvm::Function&, const Shapes&, const llvm::DataLayout&, const SlotAccesses&);
    /// Null: the access is in none.
    const Bundle* of(const llvm::Instruction* access) const { return of_.lookup(access); }

  private:
    std::vector<std::unique_ptr<Bundle>> all_;
    llvm::DenseMap<const llvm::Instruction*, const Bundle*> of_;
};

} // namespace ptx::simd
