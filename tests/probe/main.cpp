#include "probe.h"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

// api_probe ask FILE            writes what the driver answers
// api_probe check FILE KNOWN    compares with FILE, made on an NVIDIA GPU; KNOWN lists the differences and why
// Each function has a process of its own, which goes on in a new one when it dies or its context does.
namespace {

using namespace probe;

constexpr unsigned seconds_for_a_call = 5;
constexpr int goes_on = 3; ///< exit status of a process that another one must follow

int child(const Function& function, size_t first) {
    const std::vector<Case> cases = cases_of(function);
    if (!load_driver()) return 1;
    bool started = false;
    for (size_t i = first; i < cases.size(); i++) {
        const bool fresh = cases[i].situation == Situation::before_init;
        if (!fresh && !started) {
            if (!start_driver()) return 1;
            started = true;
        }
        alarm(seconds_for_a_call);
        std::printf("%s\n", answer(function, cases[i]).c_str());
        std::fflush(stdout);
        if (fresh || !settle()) _exit(goes_on);
    }
    std::_Exit(0);
}

/// The answers from `first` on of one process; what ended it early, if it did, is the last.
std::vector<std::string> run_child(const char* self, const Function& function, size_t first, size_t count) {
    int ends[2];
    if (pipe(ends) != 0) return {};
    const std::string number = std::to_string(first);
    const pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl(self, self, "child", function.symbol, number.c_str(), nullptr);
        _exit(1);
    }
    close(ends[1]);
    std::string text;
    char buffer[4096];
    for (ssize_t got; (got = read(ends[0], buffer, sizeof buffer)) > 0;) text.append(buffer, size_t(got));
    close(ends[0]);
    int status = 0;
    waitpid(pid, &status, 0);
    std::vector<std::string> answers;
    for (size_t end; (end = text.find('\n')) != std::string::npos; text.erase(0, end + 1))
        answers.push_back(text.substr(0, end));
    if (WIFSIGNALED(status) && answers.size() < count - first)
        answers.push_back(WTERMSIG(status) == SIGALRM ? "hang" : "crash");
    else if (WIFEXITED(status) && WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != goes_on &&
             answers.size() < count - first)
        answers.push_back("exit");
    return answers;
}

using Answers = std::map<std::string, std::vector<std::string>>; ///< by symbol, in the order of cases_of

Answers ask_all(const char* self, bool with_stubs) {
    Answers all;
    std::vector<const Function*> asked;
    for (const Function& function : functions())
        if (with_stubs || function.has_body) asked.push_back(&function), all[function.symbol];
    std::atomic<size_t> next = 0;
    std::vector<std::thread> workers;
    for (unsigned i = 0; i < std::max(2u, std::thread::hardware_concurrency()); i++)
        workers.emplace_back([&] {
            for (size_t at; (at = next++) < asked.size();) {
                const size_t count = cases_of(*asked[at]).size();
                std::vector<std::string>& answers = all.at(asked[at]->symbol);
                while (answers.size() < count) {
                    std::vector<std::string> more = run_child(self, *asked[at], answers.size(), count);
                    if (more.empty()) break;
                    answers.insert(answers.end(), more.begin(), more.end());
                }
            }
        });
    for (std::thread& worker : workers) worker.join();
    return all;
}

/// Lines of "symbol <tab> case <tab> rest"; # begins a remark.
std::map<std::pair<std::string, std::string>, std::string> read_table(const char* path) {
    std::map<std::pair<std::string, std::string>, std::string> table;
    std::ifstream file(path);
    if (!file) std::fprintf(stderr, "cannot read %s\n", path), std::exit(2);
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line[0] == '#') continue;
        const size_t one = line.find('\t'), two = line.find('\t', one + 1);
        table[{line.substr(0, one), line.substr(one + 1, two - one - 1)}] = line.substr(two + 1);
    }
    return table;
}

int ask(const char* self, const char* path) {
    std::ofstream file(path);
    const Answers all = ask_all(self, true);
    size_t lines = 0;
    for (const Function& function : functions()) {
        const std::vector<Case> cases = cases_of(function);
        const std::vector<std::string>& answers = all.at(function.symbol);
        for (size_t i = 0; i < answers.size() && answers[i] != "absent"; i++, lines++)
            file << function.symbol << '\t' << cases[i].label << '\t' << answers[i] << '\n';
    }
    std::printf("%zu answers\n", lines);
    return file.flush() && lines ? 0 : 1;
}

/// A GPU's driver may crash or hang over a bad argument. We may not, but may answer what we like.
bool is_death(const std::string& answer) {
    return answer == "crash" || answer == "hang" || answer == "exit" || answer == "none";
}

bool agree(const Case& which, const std::string& hardware, const std::string& ours) {
    if (ours == "hang") return hardware == ours; // a wait that nothing ends
    if (is_death(ours)) return false;
    if (is_death(hardware)) return true;
    // By chance a driver may even take such a handle; we say that it is wrong.
    if (which.by_chance) return ours != "0" || hardware == "0";
    return ours == hardware;
}

/// Differences that are meant, with the reason: "symbol, case, our answer". "symbol, *, =other": every case is as that
/// other symbol has it on the GPU.
class Known {
  public:
    explicit Known(const char* path) : path_(path), table_(read_table(path)) {}

    bool has(const std::string& symbol, const std::string& label, const std::string& ours) {
        return listed(symbol, label) == ours && used_.insert({symbol, label}).second;
    }

    /// The symbol whose answers this one gives: another form of it, or itself.
    std::string like(const std::string& symbol) {
        const std::string other = listed(symbol, "*");
        if (other.empty()) return symbol;
        used_.insert({symbol, "*"});
        return other.substr(1);
    }

    size_t report_unused() const {
        for (const auto& [place, rest] : table_)
            if (!used_.contains(place))
                std::printf("%s\t%s\tis listed in %s, and is no difference\n", place.first.c_str(),
                            place.second.c_str(), path_);
        return table_.size() - used_.size();
    }

  private:
    std::string listed(const std::string& symbol, const std::string& label) const {
        const auto found = table_.find({symbol, label});
        return found == table_.end() ? "" : found->second.substr(0, found->second.find('\t'));
    }

    const char* path_;
    std::map<std::pair<std::string, std::string>, std::string> table_;
    std::set<std::pair<std::string, std::string>> used_;
};

int check(const char* self, const char* expected_path, const char* known_path) {
    const auto expected = read_table(expected_path);
    Known known(known_path);
    size_t equal = 0, listed = 0, wrong = 0;
    for (const auto& [symbol, answers] : ask_all(self, false)) {
        const std::vector<Case> cases = cases_of(*find_function(symbol));
        const std::string like = known.like(symbol);
        for (size_t i = 0; i < cases.size(); i++) {
            const std::string ours = i < answers.size() ? answers[i] : "none";
            const auto found = expected.find({like, cases[i].label});
            if (found == expected.end() && !is_death(ours)) continue; // the GPU's driver has no such function
            const std::string hardware = found == expected.end() ? "an answer" : found->second;
            if (agree(cases[i], hardware, ours)) {
                equal++;
            } else if (known.has(symbol, cases[i].label, ours)) {
                listed++;
            } else {
                wrong++;
                std::printf("%s\t%s\t%s\texpected %s\n", symbol.c_str(), cases[i].label.c_str(), ours.c_str(),
                            hardware.c_str());
            }
        }
    }
    wrong += known.report_unused();
    std::printf("%zu answers as on the GPU, %zu known to differ, %zu wrong\n", equal, listed, wrong);
    return wrong ? 1 : 0;
}

} // namespace

int main(int argc, char** argv) {
    const std::string_view verb = argc > 1 ? argv[1] : "";
    if (verb == "child" && argc == 4)
        if (const Function* function = find_function(argv[2])) return child(*function, std::stoul(argv[3]));
    if (verb == "ask" && argc == 3) return ask("/proc/self/exe", argv[2]);
    if (verb == "check" && argc == 4) return check("/proc/self/exe", argv[2], argv[3]);
    std::fprintf(stderr, "usage: api_probe ask FILE | check FILE KNOWN\n");
    return 2;
}
