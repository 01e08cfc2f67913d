#include "code/translator_path.h"
#include "code/translator_process.h"
#include "ptx/translate.h"
#include "rt/error.h"
#include "temporary_directory.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <functional>
#include <thread>

namespace {

using namespace rt;
using ptx::Reply;
using Clock = std::chrono::steady_clock;

Reply ask(const std::string& commands) {
    ptx::Job job;
    job.sources = {commands};
    return code::run_job(job);
}

ptx::ModuleInfo indexed(const std::string& commands) {
    const Reply reply = ask(commands);
    EXPECT_EQ(reply.status, Reply::Status::ok) << reply.message;
    return ptx::deserialize_module_info(reply.payload);
}

/// The process id of the server that answers.
pid_t server() { return std::stoi(indexed("").target); }

/// Whether the process is gone, or nearly: a zombie waits for its parent, which is none of us.
bool gone(pid_t process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/stat");
    std::string number, name, state;
    return !(file >> number >> name >> state) || state == "Z";
}

bool comes_true(const std::function<bool()>& condition, int milliseconds = 5000) {
    const auto end = Clock::now() + std::chrono::milliseconds(milliseconds);
    while (!condition()) {
        if (Clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
}

TEST(TranslatorProcess, AnswersAndStays) {
    const ptx::ModuleInfo module = indexed("kernel a\nbroken b\n");
    ASSERT_EQ(module.kernels.size(), 2u);
    EXPECT_EQ(module.kernels[1].name, "b");
    EXPECT_EQ(ask("").version, ptx::translator_version());
    EXPECT_EQ(server(), server());
    EXPECT_GT(indexed(std::string(5 << 20, '\n') + "kernel large\n").kernels.size(), 0u); // more than a socket holds
}

TEST(TranslatorProcess, SaysWhatIsWrong) {
    Reply reply = ask("invalid unknown instruction 'foo'");
    EXPECT_EQ(reply.status, Reply::Status::invalid_ptx);
    EXPECT_EQ(reply.message, "line 12, column 5: unknown instruction 'foo'");
    reply = ask("exception strange");
    EXPECT_EQ(reply.status, Reply::Status::internal_error);
    EXPECT_EQ(reply.message, "strange");
    EXPECT_EQ(ask("memory").message, "out of memory");
    reply = ask("fatal cannot select");
    EXPECT_EQ(reply.status, Reply::Status::internal_error);
    EXPECT_EQ(reply.message, "LLVM: cannot select");
}

TEST(TranslatorProcess, ACrashCostsOneJob) {
    const pid_t before = server();
    const std::pair<const char*, const char*> deaths[] = {
        {"crash", "signal 11"}, {"abort", "signal 6"}, {"exit 3", "exit code 3"}, {"exit 70", "out of memory"}};
    for (const auto& [command, message] : deaths) {
        const Reply reply = ask(command);
        EXPECT_EQ(reply.status, Reply::Status::internal_error) << command;
        EXPECT_NE(reply.message.find(message), std::string::npos) << reply.message;
    }
    EXPECT_EQ(server(), before);
}

TEST(TranslatorProcess, RefusesWrongAnswers) {
    EXPECT_THROW(ask("garbage"), Error);
    EXPECT_THROW(ask("partial"), Error);
    EXPECT_EQ(indexed("kernel a").kernels.size(), 1u);
}

TEST(TranslatorProcess, StartsAgain) {
    const pid_t first = server();
    ASSERT_EQ(kill(first, SIGKILL), 0);
    ASSERT_TRUE(comes_true([&] { return gone(first); }));
    EXPECT_NE(server(), first);
    // Killed in the midst of a job: tried once more, unnoticed.
    TemporaryDirectory directory;
    EXPECT_EQ(ask("kill_server_once " + (directory.path() / "mark").string()).status, Reply::Status::ok);
    const auto start = Clock::now();
    try {
        ask("kill_server");
        ADD_FAILURE() << "answered";
    } catch (const Error& error) {
        EXPECT_EQ(error.status(), Status::jit_compiler_not_found);
        EXPECT_NE(std::string(error.what()).find("did not answer"), std::string::npos) << error.what();
    }
    EXPECT_LT(Clock::now() - start, std::chrono::seconds(5));
    EXPECT_EQ(indexed("kernel a").kernels.size(), 1u);
}

TEST(TranslatorProcess, JobsRunSideBySide) {
    const pid_t before = server();
    const auto start = Clock::now();
    std::vector<std::thread> threads;
    std::atomic<int> good = 0;
    for (int i = 0; i < 3; ++i)
        threads.emplace_back([&good, i] {
            const std::string name = "k" + std::to_string(i);
            good += indexed("sleep 300\nkernel " + name).kernels.at(0).name == name;
        });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(good, 3);
    EXPECT_LT(Clock::now() - start, std::chrono::milliseconds(800));
    // More than it does at once.
    threads.clear();
    for (int i = 0; i < 40; ++i)
        threads.emplace_back(
            [&good, i] { good += ask(i % 4 == 0 ? "crash" : "sleep 5").status != Reply::Status::invalid_ptx; });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(good, 43);
    EXPECT_EQ(server(), before);
}

TEST(TranslatorProcess, LeavesNoChildren) {
    server();
    EXPECT_TRUE(comes_true([] {
        server(); // the process that we started is collected after a job
        return waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD;
    }));
}

TEST(TranslatorProcess, InheritsNothing) {
    const int leak = dup(0); // not close-on-exec
    setenv("LD_PRELOAD", "", 1);
    kill(server(), SIGKILL);
    const std::string what = indexed("").diagnostics;
    EXPECT_TRUE(what.starts_with("0 1 2 3 | ")) << what;
    EXPECT_NE(what.find("| unset |"), std::string::npos) << what;
    EXPECT_NE(what.find("core 0"), std::string::npos) << what;
    unsetenv("LD_PRELOAD");
    close(leak);
}

TEST(TranslatorProcess, ClosedBehindItsBack) {
    // As a daemon does that closes every descriptor; ours is then somebody else's.
    server();
    for (int descriptor = 3; descriptor < 100; ++descriptor) close(descriptor);
    const int other = dup(0);
    EXPECT_EQ(indexed("kernel a").kernels.size(), 1u);
    EXPECT_EQ(close(other), 0);
}

TEST(TranslatorProcess, ForkedChildHasItsOwn) {
    const pid_t parents = server();
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        const pid_t mine = server();
        _exit(write(ends[1], &mine, sizeof mine) == sizeof mine && mine != parents ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    pid_t childs = 0;
    ASSERT_EQ(read(ends[0], &childs, sizeof childs), ssize_t(sizeof childs));
    EXPECT_EQ(server(), parents);
    EXPECT_TRUE(comes_true([&] { return gone(childs); })) << "its server outlives the child";
    close(ends[0]);
    close(ends[1]);
}

TEST(TranslatorProcess, EndsWithItsHostThoughAForkLivesOn) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t host = fork();
    if (host == 0) {
        const pid_t mine = server();
        if (fork() == 0) { // holds copies of the host's descriptors, and never uses ours
            std::this_thread::sleep_for(std::chrono::seconds(4));
            _exit(0);
        }
        _exit(write(ends[1], &mine, sizeof mine) == sizeof mine ? 0 : 1);
    }
    ASSERT_EQ(waitpid(host, nullptr, 0), host);
    pid_t hosts = 0;
    ASSERT_EQ(read(ends[0], &hosts, sizeof hosts), ssize_t(sizeof hosts));
    EXPECT_TRUE(comes_true([&] { return gone(hosts); }, 2000));
    close(ends[0]);
    close(ends[1]);
}

TEST(TranslatorPath, Environment) {
    const std::string own = code::own_directory().string();
    ASSERT_FALSE(own.empty());
    setenv("LD_LIBRARY_PATH", ("/usr/x:" + own + "/.:/y:" + own).c_str(), 1);
    setenv("LD_PRELOAD", "libcuda.so.1", 1);
    bool found = false;
    for (const std::string& variable : code::translator_environment()) {
        EXPECT_FALSE(variable.starts_with("LD_PRELOAD="));
        found |= variable == "LD_LIBRARY_PATH=/usr/x:/y";
    }
    EXPECT_TRUE(found);
    setenv("LD_LIBRARY_PATH", own.c_str(), 1);
    for (const std::string& variable : code::translator_environment())
        EXPECT_FALSE(variable.starts_with("LD_LIBRARY_PATH="));
    unsetenv("LD_LIBRARY_PATH");
    unsetenv("LD_PRELOAD");
}

} // namespace
