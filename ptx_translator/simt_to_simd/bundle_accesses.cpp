// What bundles become: loads and stores of what lies side by side, and shuffles in between.
#include "simt_to_simd/bundles.h"
#include "simt_to_simd/shuffler.h"
#include "simt_to_simd/widener.h"

#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/Analysis/VectorUtils.h>

#include <map>

namespace ptx::simd {

using llvm::Instruction;
using llvm::Value;

namespace {

constexpr unsigned block_bytes = 16; ///< within which registers are shuffled cheaply

/// So many places side by side, which are loaded or stored at once.
struct Part {
    unsigned place = 0, count = 0, at = 0; ///< `at`: where in the unit
};
/// Of places: a full part, or several.
using Unit = llvm::SmallVector<Part, 4>;
struct Layout {
    std::vector<Unit> units;
    Sources of_places;
};

Layout lay_out(const Bundle& bundle, unsigned size) {
    Layout layout;
    layout.of_places.resize(bundle.places.size());
    const auto put = [&](Unit& unit, Part part) {
        for (unsigned i = 0; i < part.count; ++i) {
            Source& source = layout.of_places[part.place + i];
            if (source.vector == Source::none) source = {unsigned(&unit - layout.units.data()), part.at + i};
        }
        unit.push_back(part);
    };
    llvm::SmallVector<Part, 32> rest;
    for (const Bundle::Run& run : bundle.runs) {
        unsigned done = 0;
        for (; run.count - done >= size; done += size) put(layout.units.emplace_back(), {run.begin + done, size, 0});
        if (done == run.count) continue;
        if (bundle.loads() && done > 0) {
            put(layout.units.emplace_back(), {run.begin + run.count - size, size, 0});
            continue;
        }
        for (unsigned part = size / 2; done < run.count; part /= 2)
            if (run.count - done >= part) {
                rest.push_back({run.begin + done, part, 0});
                done += part;
            }
    }
    unsigned used = size;
    for (Part part : rest) {
        used = (used + part.count - 1) / part.count * part.count;
        if (used + part.count > size) layout.units.emplace_back(), used = 0;
        part.at = used;
        put(layout.units.back(), part);
        used += part.count;
    }
    return layout;
}

/// What loads and stores of a bundle have in common.
class Access {
  public:
    /// `origin`: what places are counted from. `blocks`: of a register that lanes fill.
    Access(IR& ir, const Bundle& bundle, Value* origin, unsigned lanes, unsigned blocks)
        : ir_(ir), bundle_(bundle), origin_(origin), each_(block_bytes / bundle.size), blocks_(blocks), lanes_(lanes),
          // Longer registers have shuffles of all elements of two of them, which are as cheap.
          within_blocks_(blocks * block_bytes <= 32), layout_(lay_out(bundle, within_blocks_ ? each_ : each_ * blocks)),
          shuffler_(ir, each_), type_(ir.getIntNTy(8 * bundle.size)) {}

  protected:
    unsigned register_size() const { return each_ * blocks_; }
    llvm::Type* vector_of(unsigned count) const { return llvm::FixedVectorType::get(type_, count); }
    llvm::Align align() const {
        return std::min(llvm::getLoadStoreAlignment(bundle_.doer()), llvm::Align(bundle_.size));
    }
    Value* address(unsigned place) {
        return ir_.CreateConstGEP1_64(ir_.getInt8Ty(), origin_, uint64_t(bundle_.places[place]));
    }
    bool is_full(const Unit& unit) const { return unit[0].count * bundle_.size >= block_bytes; }
    /// Whether the units follow each other in memory, without gaps.
    bool are_adjacent(llvm::ArrayRef<unsigned> units) const {
        for (size_t i = 0; i < units.size(); ++i) {
            const Unit& unit = layout_.units[units[i]];
            if (!is_full(unit) || bundle_.places[unit[0].place] !=
                                      bundle_.places[layout_.units[units[0]][0].place] + int64_t(i * block_bytes))
                return false;
        }
        return true;
    }

    IR& ir_;
    const Bundle& bundle_;
    Value* origin_;
    const unsigned each_, blocks_, lanes_;
    const bool within_blocks_;
    const Layout layout_;
    Shuffler shuffler_;
    llvm::Type* type_; ///< an integer's: of numbers LLVM might choose NaNs
};

class Loads : Access {
  public:
    Loads(IR& ir, const Bundle& bundle, Value* origin, unsigned lanes, unsigned blocks)
        : Access(ir, bundle, origin, lanes, blocks), units_(layout_.units.size()) {}

    /// What the lanes have of one of the loads.
    Value* result(unsigned number) {
        llvm::SmallVector<Value*, 8> parts;
        for (unsigned begin = 0; begin < lanes_; begin += register_size()) {
            Sources order;
            for (unsigned i = 0; i < register_size(); ++i)
                order.push_back(layout_.of_places[bundle_.of[number][begin + i]]);
            parts.push_back(of(order));
        }
        return llvm::concatenateVectors(ir_, parts);
    }

  private:
    Value* of(llvm::ArrayRef<Source> order) {
        if (within_blocks_) return of_blocks(order);
        llvm::SmallVector<Value*, 16> all(layout_.units.size());
        for (const Source& one : order) all[one.vector] = unit(one.vector);
        return shuffler_.of_all(all, order);
    }

    /// If the blocks of the result are alike, registers are made for them of blocks in memory.
    Value* of_blocks(llvm::ArrayRef<Source> order) {
        using Units = llvm::SmallVector<unsigned, 4>;
        llvm::SmallVector<Units, 4> used; ///< by their numbers in a block of the result, those of all its blocks
        Sources alike;
        for (unsigned i = 0; i < order.size(); ++i) {
            const unsigned block = i / each_;
            auto found = llvm::find_if(
                used, [&](const Units& all) { return all.size() > block && all[block] == order[i].vector; });
            if (found == used.end()) {
                found = llvm::find_if(used, [&](const Units& all) { return all.size() == block; });
                if (found == used.end()) {
                    if (block > 0) return of_each_block(order);
                    found = &used.emplace_back();
                }
                found->push_back(order[i].vector);
            }
            const Source source{unsigned(found - used.begin()), order[i].element};
            if (block == 0)
                alike.push_back(source);
            else if (alike[i % each_] != source)
                return of_each_block(order);
        }
        llvm::SmallVector<Value*, 4> registers;
        for (const Units& all : used) registers.push_back(register_of(all));
        return shuffler_.within_blocks(registers, alike);
    }

    Value* of_each_block(llvm::ArrayRef<Source> order) {
        llvm::SmallVector<Value*, 16> all(layout_.units.size());
        for (const Source& one : order) all[one.vector] = unit(one.vector);
        llvm::SmallVector<Value*, 4> parts;
        for (unsigned i = 0; i < order.size(); i += each_)
            parts.push_back(shuffler_.within_blocks(all, order.slice(i, each_)));
        return llvm::concatenateVectors(ir_, parts);
    }

    Value* register_of(llvm::ArrayRef<unsigned> units) {
        Value*& made = registers_[std::vector<unsigned>(units.begin(), units.end())];
        if (made) return made;
        if (units.size() > 1 && are_adjacent(units))
            return made = ir_.CreateAlignedLoad(vector_of(register_size()), address(layout_.units[units[0]][0].place),
                                                align());
        llvm::SmallVector<Value*, 4> parts;
        for (unsigned one : units) parts.push_back(unit(one));
        return made = llvm::concatenateVectors(ir_, parts);
    }

    Value* unit(unsigned number) {
        Value*& made = units_[number];
        return made ? made : made = load(layout_.units[number], 0, within_blocks_ ? each_ : register_size());
    }

    /// So many elements of the unit, each half by itself where there are several parts.
    Value* load(const Unit& unit, unsigned begin, unsigned count) {
        const auto part = llvm::find_if(unit, [&](const Part& one) { return one.at == begin && one.count == count; });
        if (part != unit.end()) return ir_.CreateAlignedLoad(vector_of(count), address(part->place), align());
        if (llvm::none_of(unit, [&](const Part& one) { return one.at >= begin && one.at < begin + count; }))
            return llvm::PoisonValue::get(vector_of(count));
        return llvm::concatenateVectors(ir_, {load(unit, begin, count / 2), load(unit, begin + count / 2, count / 2)});
    }

    llvm::SmallVector<Value*, 32> units_;
    std::map<std::vector<unsigned>, Value*> registers_;
};

class Stores : Access {
  public:
    /// `values`: of the stores, of all lanes.
    Stores(IR& ir, const Bundle& bundle, Value* origin, unsigned lanes, unsigned blocks, llvm::ArrayRef<Value*> values)
        : Access(ir, bundle, origin, lanes, blocks) {
        const unsigned each = lanes / register_size();
        for (Value* value : values) {
            Value* wide = ir.CreateBitCast(value, vector_of(lanes));
            for (unsigned i = 0; i < each; ++i)
                registers_.push_back(shuffler_.part(wide, i * register_size(), register_size()));
        }
        sources_.resize(layout_.units.size());
        for (unsigned unit = 0; unit < sources_.size(); ++unit)
            sources_[unit].resize(within_blocks_ ? each_ : register_size());
        for (unsigned number = 0; number < values.size(); ++number)
            for (unsigned lane = 0; lane < lanes; ++lane) {
                const Source place = layout_.of_places[bundle.of[number][lane]];
                sources_[place.vector][place.element] = {number * each + lane / register_size(),
                                                         lane % register_size()};
            }
    }

    void store() {
        if (within_blocks_) return store_blocks();
        for (unsigned unit = 0; unit < sources_.size(); ++unit)
            store_unit(unit, shuffler_.of_all(registers_, sources_[unit]));
    }

  private:
    /// Units that are made alike of different blocks of the same registers are made together.
    void store_blocks() {
        std::map<std::vector<Source>, llvm::SmallVector<unsigned, 4>> together;
        for (unsigned unit = 0; unit < sources_.size(); ++unit) {
            std::vector<Source> key;
            unsigned block = Source::none;
            bool is_one = true;
            for (const Source& source : sources_[unit]) {
                key.push_back({source.vector, source.element % each_});
                if (source.vector == Source::none) continue;
                is_one &= block == Source::none || block == source.element / each_;
                block = source.element / each_;
            }
            if (is_one) {
                auto& units = together[key];
                units.resize(blocks_, Source::none);
                units[block] = unit;
                continue;
            }
            llvm::SmallVector<Value*, 4> blocks;
            llvm::SmallVector<Source, 4> order;
            for (const Source& source : sources_[unit]) {
                order.push_back(
                    {source.vector == Source::none ? Source::none : unsigned(blocks.size()), source.element % each_});
                Value* from = source.vector == Source::none ? nullptr : registers_[source.vector];
                blocks.push_back(from ? shuffler_.part(from, source.element / each_ * each_, each_) : nullptr);
            }
            store_unit(unit, shuffler_.within_blocks(blocks, order));
        }
        for (const auto& [key, units] : together) {
            Value* made = shuffler_.within_blocks(registers_, key);
            if (blocks_ > 1 && !llvm::is_contained(units, Source::none) && are_adjacent(units)) {
                ir_.CreateAlignedStore(made, address(layout_.units[units[0]][0].place), align());
                continue;
            }
            for (unsigned block = 0; block < blocks_; ++block)
                if (units[block] != Source::none) store_unit(units[block], shuffler_.part(made, block * each_, each_));
        }
    }

    void store_unit(unsigned number, Value* made) {
        for (const Part& part : layout_.units[number])
            ir_.CreateAlignedStore(shuffler_.part(made, part.at, part.count), address(part.place), align());
    }

    llvm::SmallVector<Value*, 32> registers_; ///< the stores' values, one after another
    std::vector<Sources> sources_;            ///< of the units' elements
};

} // namespace

/// Blocks in the target's registers that the lanes fill.
static unsigned blocks_of_register(const Machine& machine, unsigned lanes, unsigned each) {
    // Of those that have 512 bits LLVM would rather use half; here it is for the code's width.
    const uint64_t bits =
        machine.bit_masks
            ? 512
            : machine.costs.getRegisterBitWidth(llvm::TargetTransformInfo::RGK_FixedWidthVector).getFixedValue();
    unsigned blocks = std::max<unsigned>(1, unsigned(bits) / (8 * block_bytes));
    while (blocks > 1 && lanes % (blocks * each) != 0) blocks /= 2;
    return blocks;
}

void Widener::load_bundle(const Bundle& bundle) {
    const unsigned blocks = blocks_of_register(machine_, lanes_, block_bytes / bundle.size);
    Value* origin = in_lane(llvm::getLoadStorePointerOperand(bundle.doer()), ir_.getInt32(0));
    Loads loads(ir_, bundle, origin, lanes_, blocks);
    for (unsigned i = 0; i < bundle.accesses.size(); ++i)
        note(*bundle.accesses[i], ir_.CreateBitCast(loads.result(i), widened(bundle.accesses[i]->getType())));
}

void Widener::store_bundle(const Bundle& bundle) {
    const unsigned blocks = blocks_of_register(machine_, lanes_, block_bytes / bundle.size);
    Value* origin = in_lane(llvm::getLoadStorePointerOperand(bundle.doer()), ir_.getInt32(0));
    llvm::SmallVector<Value*, 4> values;
    for (Instruction* store : bundle.accesses)
        values.push_back(vector(llvm::cast<llvm::StoreInst>(store)->getValueOperand()));
    Stores(ir_, bundle, origin, lanes_, blocks, values).store();
}

} // namespace ptx::simd
