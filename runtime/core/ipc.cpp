#include "rt/ipc.h"

#include "rt/context.h"
#include "rt/device.h"
#include "rt/memory.h"
#include "rt/platform.h"
#include "rt/virtual_memory.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/futex.h>
#include <map>
#include <mutex>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <tuple>
#include <unistd.h>

namespace rt::ipc {
namespace {

namespace vm = virtual_memory;

/// What both kinds of handle hold: a file, by its process and number there; the inode tells whether it still is that
/// one.
struct Content {
    uint32_t magic = 0;
    int32_t process = 0, file = 0;
    uint32_t unused = 0;
    uint64_t inode = 0, offset = 0, bytes = 0;
    std::array<uint8_t, 16> device{};
    uint64_t unused_too = 0;
};
static_assert(sizeof(Content) == sizeof(Handle));

constexpr uint32_t memory_magic = 0x4d435443, event_magic = 0x45435443;

struct Opened {
    uint64_t range = 0; ///< reserved addresses
    size_t range_bytes = 0;
    vm::MemoryId memory = 0;
    uint64_t users = 0;
};

using Key = std::tuple<int32_t, int32_t, uint64_t, uint64_t, uint64_t>; ///< process, file, inode, offset, bytes

/// Never destroyed.
struct Registry {
    std::mutex mutex;
    std::map<const backend::PhysicalMemory*, int> files; ///< for as long as the process lives
    std::map<Key, uint64_t> addresses;
    std::map<uint64_t, Opened> opened;
};

Registry& registry() {
    static Registry& all = *new Registry;
    return all;
}

Handle handle_of(const Content& content) {
    Handle handle;
    std::memcpy(&handle, &content, sizeof handle);
    return handle;
}

/// `wrong` is what an H100's driver says of a handle that is none.
Content content_of(const Handle& handle, uint32_t magic, Status wrong) {
    Content content;
    std::memcpy(static_cast<void*>(&content), &handle, sizeof content);
    if (content.magic != magic) throw Error(wrong, "no handle of another process");
    if (content.process == getpid())
        throw Error(Status::invalid_context, "a handle cannot be opened in the process that made it");
    return content;
}

uint64_t inode_of(int file) {
    struct stat about {};
    return fstat(file, &about) == 0 ? uint64_t(about.st_ino) : 0;
}

/// Closes itself.
class File {
  public:
    explicit File(const Content& content) {
        const std::string path = fmt::format("/proc/{}/fd/{}", content.process, content.file);
        number_ = open(path.c_str(), O_RDWR | O_CLOEXEC);
        if (number_ >= 0 && inode_of(number_) == content.inode) return;
        if (number_ >= 0) close(number_);
        throw Error(Status::map_failed,
                    fmt::format("{} is not there, or not ours to open: has process {} ended?", path, content.process));
    }
    ~File() { close(number_); }
    File(const File&) = delete;
    int number() const { return number_; }

  private:
    int number_;
};

Device& device_with(const std::array<uint8_t, 16>& uuid, Context& context) {
    Platform& platform = Platform::get();
    for (int i = 0; i < platform.device_count(); i++)
        if (platform.device(i).facts().uuid == uuid) return platform.device(i);
    return context.device();
}

int futex(std::atomic<uint32_t>& word, int operation, uint32_t value, const timespec* limit) {
    return int(syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), operation, value, limit, nullptr, 0));
}

} // namespace

Handle memory_handle(uint64_t address) {
    const std::optional<Allocation> found = memory::find(address);
    const bool shareable = found && found->kind == backend::MemoryKind::device && !found->registered &&
                           !found->of_module && !found->from_pool && found->context;
    if (!shareable) throw Error(Status::invalid_value, fmt::format("{:#x} is no memory of cuMemAlloc", address));
    found->context->wait();
    Content content{.magic = memory_magic, .process = getpid(), .bytes = found->size};
    Device& device = found->context->device();
    content.device = device.facts().uuid;
    const auto memory = device.backend().share(found->address, found->size, content.offset);
    if (!memory) throw Error(Status::not_supported, "the device's memory cannot be shared between processes");
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    const auto [file, added] = all.files.try_emplace(memory.get(), -1);
    if (added) file->second = memory->export_descriptor();
    content.file = file->second;
    content.inode = inode_of(content.file);
    if (content.inode == 0) throw Error(Status::out_of_memory, "no file descriptor is left");
    return handle_of(content);
}

uint64_t open_memory(Context& context, const Handle& handle) {
    const Content content = content_of(handle, memory_magic, Status::invalid_value);
    const Key key{content.process, content.file, content.inode, content.offset, content.bytes};
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    if (const auto known = all.addresses.find(key); known != all.addresses.end()) {
        all.opened.at(known->second).users++;
        return known->second;
    }
    Device& device = device_with(content.device, context);
    const File file(content);
    const size_t page = vm::granularity(device);
    const uint64_t first = content.offset / page * page;
    Opened opened;
    opened.range_bytes = (content.offset + content.bytes - first + page - 1) / page * page;
    opened.memory = vm::import_descriptor(device, file.number());
    try {
        opened.range = vm::reserve(device, opened.range_bytes, 0, 0);
        try {
            vm::map(opened.range, opened.range_bytes, first, opened.memory);
            vm::set_access(opened.range, opened.range_bytes, true);
        } catch (...) {
            vm::unreserve(opened.range, opened.range_bytes);
            throw;
        }
    } catch (const Error& error) {
        vm::release(opened.memory);
        throw Error(Status::map_failed, error.what());
    }
    opened.users = 1;
    const uint64_t address = opened.range + (content.offset - first);
    // In the place of the mapping's own entry: only the allocation itself is the program's.
    memory::forget(opened.range);
    memory::remember({.address = address, .size = content.bytes, .of_module = true, .device = device.ordinal()});
    all.addresses[key] = address;
    all.opened[address] = opened;
    return address;
}

void close_memory(uint64_t address) {
    Registry& all = registry();
    std::unique_lock lock(all.mutex);
    const auto found = all.opened.find(address);
    if (found == all.opened.end()) throw Error(Status::invalid_value, "not the address of an opened handle");
    if (--found->second.users > 0) return;
    const Opened opened = found->second;
    all.opened.erase(found);
    std::erase_if(all.addresses, [&](const auto& entry) { return entry.second == address; });
    lock.unlock();
    // The device's work may still use it.
    if (Context* context = Context::current_or_null()) context->wait();
    memory::forget(address);
    vm::unmap(opened.range, opened.range_bytes);
    vm::unreserve(opened.range, opened.range_bytes);
    vm::release(opened.memory);
}

// ---- Events

std::shared_ptr<SharedEvent> SharedEvent::create() {
    const int file = memfd_create("cuttle:event", MFD_CLOEXEC);
    void* page = MAP_FAILED;
    if (file >= 0 && ftruncate(file, sizeof(Page)) == 0)
        page = mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (page == MAP_FAILED) {
        if (file >= 0) close(file);
        throw Error(Status::out_of_memory, "no memory for an event between processes");
    }
    return std::shared_ptr<SharedEvent>(new SharedEvent(static_cast<Page*>(page), file));
}

std::shared_ptr<SharedEvent> SharedEvent::open(const Handle& handle) {
    const Content content = content_of(handle, event_magic, Status::map_failed);
    const File file(content);
    void* page = mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, file.number(), 0);
    if (page == MAP_FAILED) throw Error(Status::map_failed, "the event of another process cannot be mapped");
    return std::shared_ptr<SharedEvent>(new SharedEvent(static_cast<Page*>(page), -1));
}

SharedEvent::~SharedEvent() {
    munmap(page_, sizeof(Page));
    if (file_ >= 0) close(file_);
}

Handle SharedEvent::handle() const {
    return handle_of({.magic = event_magic, .process = getpid(), .file = file_, .inode = inode_of(file_)});
}

uint64_t SharedEvent::record() {
    page_->recorder = getpid();
    return ++page_->recorded;
}

void SharedEvent::reach(uint64_t ticket) {
    uint64_t before = page_->reached;
    while (before < ticket && !page_->reached.compare_exchange_weak(before, ticket)) {
    }
    page_->changes++;
    futex(page_->changes, FUTEX_WAKE, INT32_MAX, nullptr);
}

uint64_t SharedEvent::last() const { return page_->recorded; }

bool SharedEvent::recorder_has_ended() const {
    const int32_t process = page_->recorder;
    return process > 0 && process != getpid() && kill(process, 0) != 0 && errno == ESRCH;
}

bool SharedEvent::reached(uint64_t ticket) const { return page_->reached >= ticket || recorder_has_ended(); }

void SharedEvent::wait(uint64_t ticket) const {
    for (;;) {
        const uint32_t changes = page_->changes;
        if (reached(ticket)) return;
        const timespec limit{1, 0}; // the other process may end without a word
        futex(page_->changes, FUTEX_WAIT, changes, &limit);
    }
}

} // namespace rt::ipc
