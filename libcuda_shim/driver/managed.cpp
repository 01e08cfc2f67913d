#include "api/bodies.h"
#include "api/constants.h"
#include "driver/handles.h"
#include "rt/memory.h"
#include "rt/platform.h"

#include <fmt/format.h>

#include <map>
#include <mutex>
#include <set>

// Advice about managed memory. Where it lies is the back end's affair, so advice moves nothing; it is checked, and kept
// so that queries give it back.
namespace shim {
namespace {

struct Place {
    CUmemLocationType type = CU_MEM_LOCATION_TYPE_INVALID;
    int id = 0;

    /// As the queries of before CUDA 12 say it: a device, CU_DEVICE_CPU or CU_DEVICE_INVALID.
    int device() const {
        if (type == CU_MEM_LOCATION_TYPE_DEVICE) return id;
        return type == CU_MEM_LOCATION_TYPE_INVALID ? CU_DEVICE_INVALID : CU_DEVICE_CPU;
    }
};

struct Advice {
    bool read_mostly = false;
    Place preferred, prefetched;
    std::set<int> accessed_by; ///< devices, or CU_DEVICE_CPU
};

/// By Allocation::id.
struct Book {
    std::mutex mutex;
    std::map<uint64_t, Advice> by_id;
};

Book& book() {
    static Book& all = *new Book;
    return all;
}

rt::Allocation managed_range(CUdeviceptr address, size_t bytes) {
    require_value(bytes > 0, "empty range");
    const auto found = rt::memory::find(address);
    const bool inside =
        found && found->kind == rt::backend::MemoryKind::managed && bytes <= found->size - (address - found->address);
    if (!inside) throw Error(Status::invalid_value, fmt::format("{:#x} + {} is not managed memory", address, bytes));
    return *found;
}

Place place_of(CUmemLocation location) {
    switch (location.type) {
    case CU_MEM_LOCATION_TYPE_DEVICE:
        device_of(location.id);
        return {location.type, location.id};
    case CU_MEM_LOCATION_TYPE_HOST:
    case CU_MEM_LOCATION_TYPE_HOST_NUMA_CURRENT:
        return {CU_MEM_LOCATION_TYPE_HOST, 0};
    case CU_MEM_LOCATION_TYPE_HOST_NUMA:
        return {location.type, location.id};
    default:
        throw Error(Status::invalid_value, "unknown kind of location");
    }
}

CUmemLocation location_of(CUdevice dev) {
    if (dev == CU_DEVICE_CPU) return {CU_MEM_LOCATION_TYPE_HOST, 0};
    return {CU_MEM_LOCATION_TYPE_DEVICE, dev};
}

Status advise(CUdeviceptr address, size_t bytes, CUmem_advise advice, CUmemLocation location) {
    const rt::Allocation range = managed_range(address, bytes);
    const bool needs_place = advice != CU_MEM_ADVISE_SET_READ_MOSTLY && advice != CU_MEM_ADVISE_UNSET_READ_MOSTLY &&
                             advice != CU_MEM_ADVISE_UNSET_PREFERRED_LOCATION;
    const Place place = needs_place ? place_of(location) : Place{};
    Book& all = book();
    std::lock_guard lock(all.mutex);
    Advice& kept = all.by_id[range.id];
    switch (advice) {
    case CU_MEM_ADVISE_SET_READ_MOSTLY:
        kept.read_mostly = true;
        break;
    case CU_MEM_ADVISE_UNSET_READ_MOSTLY:
        kept.read_mostly = false;
        break;
    case CU_MEM_ADVISE_SET_PREFERRED_LOCATION:
        kept.preferred = place;
        break;
    case CU_MEM_ADVISE_UNSET_PREFERRED_LOCATION:
        kept.preferred = {};
        break;
    case CU_MEM_ADVISE_SET_ACCESSED_BY:
        kept.accessed_by.insert(place.device());
        break;
    case CU_MEM_ADVISE_UNSET_ACCESSED_BY:
        kept.accessed_by.erase(place.device());
        break;
    default:
        throw Error(Status::invalid_value, "unknown advice");
    }
    return Status::success;
}

Status prefetch(CUdeviceptr address, size_t bytes, CUmemLocation location, CUstream stream) {
    const rt::Allocation range = managed_range(address, bytes);
    const Place place = place_of(location);
    stream_of(stream);
    Book& all = book();
    std::lock_guard lock(all.mutex);
    all.by_id[range.id].prefetched = place;
    return Status::success;
}

/// Checked whole, before anything is done.
void require_ranges(const CUdeviceptr* addresses, const size_t* sizes, size_t count, unsigned long long flags) {
    require_value(addresses && sizes && count, "no list of ranges");
    require_value(flags == 0, "flags must be 0");
    for (size_t i = 0; i < count; ++i) managed_range(addresses[i], sizes[i]);
}

/// Location i is that of the ranges from starts[i] on.
void require_locations(const CUmemLocation* locations, const size_t* starts, size_t location_count, size_t count) {
    require_value(locations && starts && location_count && location_count <= count && starts[0] == 0,
                  "no list of locations");
    for (size_t i = 0; i < location_count; ++i) {
        require_value(starts[i] < count && (i == 0 || starts[i] >= starts[i - 1]), "locations not in order");
        require_value(locations[i].type != CU_MEM_LOCATION_TYPE_DEVICE ||
                          (locations[i].id >= 0 && locations[i].id < rt::Platform::get().device_count()),
                      "no such device");
        place_of(locations[i]);
    }
}

/// Batches are of streams that the application made, and not captured.
void require_batch_stream(CUstream handle) {
    require_value(uncaptured_stream_of(handle).role() != rt::Stream::Role::legacy, "the legacy stream takes no batches");
}

Status attribute_of(const Advice& kept, CUmem_range_attribute attribute, void* data, size_t size) {
    const auto give = [&](int value) {
        require_value(data && size == sizeof(int), "this attribute is an int");
        *static_cast<int*>(data) = value;
        return Status::success;
    };
    switch (attribute) {
    case CU_MEM_RANGE_ATTRIBUTE_READ_MOSTLY:
        return give(kept.read_mostly);
    case CU_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION:
        return give(kept.preferred.device());
    case CU_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION:
        return give(kept.prefetched.device());
    case CU_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION_TYPE:
        return give(kept.preferred.type);
    case CU_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION_ID:
        return give(kept.preferred.id);
    case CU_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION_TYPE:
        return give(kept.prefetched.type);
    case CU_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION_ID:
        return give(kept.prefetched.id);
    case CU_MEM_RANGE_ATTRIBUTE_ACCESSED_BY:
        break;
    default:
        throw Error(Status::invalid_value, "unknown range attribute");
    }
    require_value(data && size && size % sizeof(int) == 0, "this attribute is a list of ints");
    auto* list = static_cast<int*>(data);
    auto next = kept.accessed_by.begin();
    for (size_t i = 0; i < size / sizeof(int); ++i) {
        list[i] = next == kept.accessed_by.end() ? int(CU_DEVICE_INVALID) : *next++;
    }
    return Status::success;
}

} // namespace

Status driver::cuMemAdvise(CUdeviceptr address, size_t bytes, CUmem_advise advice, CUdevice dev) {
    return advise(address, bytes, advice, location_of(dev));
}

Status driver::cuMemAdvise_v2(CUdeviceptr address, size_t bytes, CUmem_advise advice, CUmemLocation location) {
    return advise(address, bytes, advice, location);
}

Status driver::cuMemPrefetchAsync(CUdeviceptr address, size_t bytes, CUdevice dev, CUstream stream) {
    return prefetch(address, bytes, location_of(dev), stream);
}

Status driver::cuMemPrefetchAsync_v2(CUdeviceptr address, size_t bytes, CUmemLocation location, unsigned int flags,
                                     CUstream stream) {
    require_value(flags == 0, "unknown flags");
    return prefetch(address, bytes, location, stream);
}

Status driver::cuMemPrefetchBatchAsync(CUdeviceptr* addresses, size_t* sizes, size_t count, CUmemLocation* locations,
                                       size_t* starts, size_t location_count, unsigned long long flags,
                                       CUstream stream) {
    require_batch_stream(stream);
    require_ranges(addresses, sizes, count, flags);
    require_locations(locations, starts, location_count, count);
    for (size_t i = 0, which = 0; i < count; ++i) {
        while (which + 1 < location_count && starts[which + 1] <= i) ++which;
        prefetch(addresses[i], sizes[i], locations[which], stream);
    }
    return Status::success;
}

// What is discarded may have any contents after: also those that it had.
Status driver::cuMemDiscardBatchAsync(CUdeviceptr* addresses, size_t* sizes, size_t count, unsigned long long flags,
                                      CUstream stream) {
    require_batch_stream(stream);
    require_ranges(addresses, sizes, count, flags);
    return Status::success;
}

Status driver::cuMemDiscardAndPrefetchBatchAsync(CUdeviceptr* addresses, size_t* sizes, size_t count,
                                                 CUmemLocation* locations, size_t* starts, size_t location_count,
                                                 unsigned long long flags, CUstream stream) {
    return cuMemPrefetchBatchAsync(addresses, sizes, count, locations, starts, location_count, flags, stream);
}

Status driver::cuMemRangeGetAttribute(void* data, size_t size, CUmem_range_attribute attribute, CUdeviceptr address,
                                      size_t bytes) {
    const rt::Allocation range = managed_range(address, bytes);
    Book& all = book();
    std::lock_guard lock(all.mutex);
    return attribute_of(all.by_id[range.id], attribute, data, size);
}

Status driver::cuMemRangeGetAttributes(void** data, size_t* sizes, CUmem_range_attribute* attributes, size_t count,
                                       CUdeviceptr address, size_t bytes) {
    require_value(data && sizes && attributes && count, "no list of attributes");
    for (size_t i = 0; i < count; ++i) cuMemRangeGetAttribute(data[i], sizes[i], attributes[i], address, bytes);
    return Status::success;
}

} // namespace shim
