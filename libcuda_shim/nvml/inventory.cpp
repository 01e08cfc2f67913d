#include "nvml/inventory.h"

#include "rt/error.h"
#include "rt/programs.h"
#include "support/log.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <string_view>

namespace nvml {
namespace {

void complain(const std::string& what) {
    rt::log(rt::LogLevel::error, rt::LogChannel::api, "nvml: the devices are not known: {}", what);
}

struct Pipe {
    Pipe() {
        if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error(std::string("pipe: ") + std::strerror(errno));
    }
    ~Pipe() {
        close_writing();
        close(ends[0]);
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    void close_writing() {
        if (ends[1] >= 0) close(ends[1]);
        ends[1] = -1;
    }

    int ends[2];
};

class Child {
  public:
    Child(const std::string& program, int output) {
        std::vector<std::string> words{program, "info", "--records"}, environment = rt::code::translator_environment();
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, output, 1);
        error_ =
            posix_spawn(&id_, program.c_str(), &actions, nullptr, pointers(words).data(), pointers(environment).data());
        posix_spawn_file_actions_destroy(&actions);
    }
    ~Child() {
        if (error_ != 0) return;
        if (!answered) kill(id_, SIGKILL);
        while (waitpid(id_, nullptr, 0) < 0 && errno == EINTR) {
        }
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    int error() const { return error_; }
    bool answered = false;

  private:
    static std::vector<char*> pointers(std::vector<std::string>& texts) {
        std::vector<char*> list;
        for (std::string& text : texts) list.push_back(text.data());
        list.push_back(nullptr);
        return list;
    }

    pid_t id_ = -1;
    int error_ = 0;
};

/// All until its other end is closed; nullopt when that takes too long.
std::optional<std::string> read_all(int file) {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::seconds(60); // drivers of several GPUs may need some of them
    std::string text;
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
        pollfd waiting{file, POLLIN, 0};
        const int ready = left > 0 ? poll(&waiting, 1, int(left)) : 0;
        if (ready == 0) return std::nullopt;
        char buffer[4096];
        const ssize_t count = ready < 0 ? -1 : read(file, buffer, sizeof buffer);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return text;
        text.append(buffer, size_t(count));
    }
}

template <class T> bool read_number(std::string_view text, T& value, int base = 10) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    return error == std::errc() && end == text.data() + text.size();
}

bool read_uuid(std::string_view text, std::array<uint8_t, 16>& uuid) {
    if (text.size() != 2 * uuid.size()) return false;
    for (size_t i = 0; i < uuid.size(); ++i)
        if (!read_number(text.substr(2 * i, 2), uuid[i], 16)) return false;
    return true;
}

bool read_line(std::string_view key, std::string_view value, Record& record) {
    constexpr std::string_view attribute = "attribute ";
    if (key == "name") {
        record.name = value;
        return true;
    }
    if (key == "uuid") return read_uuid(value, record.uuid);
    if (key == "total") return read_number(value, record.total_bytes);
    if (key == "free") return read_number(value, record.free_bytes);
    int number = 0;
    if (key == "reaches") return read_number(value, number) && record.reaches.insert(number).second;
    return key.starts_with(attribute) && read_number(key.substr(attribute.size()), number) &&
           read_number(value, record.attributes[number]);
}

} // namespace

std::optional<unsigned> Record::attribute(Attribute which) const {
    const auto found = attributes.find(which);
    return found == attributes.end() ? std::nullopt : std::optional<unsigned>(unsigned(found->second));
}

std::string Record::uuid_text() const {
    std::string text = "GPU";
    for (size_t i = 0; i < uuid.size(); ++i)
        text += fmt::format("{}{:02x}", i == 0 || i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
    return text;
}

std::string Record::pci_id(bool long_domain) const {
    const auto domain = attribute(pci_domain_id), bus = attribute(pci_bus_id), slot = attribute(pci_device_id);
    if (!domain || !bus || !slot) return "";
    return fmt::format("{:0{}X}:{:02X}:{:02X}.0", long_domain ? *domain : *domain & 0xffff, long_domain ? 8 : 4,
                       *bus & 0xff, *slot & 0xff);
}

std::optional<Inventory> parse_inventory(const std::string& text) {
    Inventory found;
    std::istringstream lines(text);
    std::string line;
    constexpr std::string_view driver = "driver=";
    if (!std::getline(lines, line) || !line.starts_with(driver)) return std::nullopt;
    if (!read_number(std::string_view(line).substr(driver.size()), found.driver_version)) return std::nullopt;
    bool inside = false; // a record
    while (std::getline(lines, line)) {
        const size_t equals = line.find('=');
        if (line.empty()) {
            inside = false;
        } else if (equals == line.npos) {
            return std::nullopt;
        } else {
            if (!inside) found.devices.emplace_back();
            inside = true;
            const std::string_view whole = line;
            if (!read_line(whole.substr(0, equals), whole.substr(equals + 1), found.devices.back()))
                return std::nullopt;
        }
    }
    return inside ? std::nullopt : std::optional(std::move(found)); // cut off
}

std::optional<Inventory> take_inventory() {
    try {
        const std::string program = rt::code::find_program("cuttle");
        Pipe answer;
        Child child(program, answer.ends[1]);
        if (child.error() != 0) throw std::runtime_error(program + ": " + std::strerror(child.error()));
        answer.close_writing();
        const std::optional<std::string> text = read_all(answer.ends[0]);
        child.answered = text.has_value();
        if (!text) throw std::runtime_error(program + " does not answer");
        if (auto inventory = parse_inventory(*text)) return inventory;
        throw std::runtime_error(program + " gave no list of devices");
    } catch (const std::exception& error) {
        complain(error.what());
        return std::nullopt;
    }
}

} // namespace nvml
