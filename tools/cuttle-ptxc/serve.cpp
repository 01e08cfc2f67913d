#include "serve.h"

#include "ast/position.h"
#include "ptx/job.h"
#include "ptx/translate.h"
#include "translate/process_setup.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <new>
#include <thread>

namespace {

using ptx::Reply;

// ---- In the child that does a job ----

int job_socket = -1; ///< for handlers that LLVM and the allocator call without arguments

bool send_reply(int socket, Reply reply) {
    reply.version = ptx::translator_version();
    return ptx::write_frame(socket, ptx::serialize(reply));
}

[[noreturn]] void give_up(const char* reason) {
    send_reply(job_socket, {Reply::Status::internal_error, std::string("LLVM: ") + reason, {}, {}});
    _exit(0);
}

/// No memory to make a reply with: the server answers for this exit code.
constexpr int out_of_memory_code = 70;
[[noreturn]] void give_up_without_memory() { _exit(out_of_memory_code); }

std::vector<uint8_t> do_job(const ptx::Job& job) {
    const std::vector<std::string_view> sources(job.sources.begin(), job.sources.end());
    if (job.kind == ptx::Job::Kind::index) return ptx::serialize(ptx::index(sources));
    ptx::Request request;
    request.sources = sources;
    request.target = job.target;
    request.options = job.options;
    request.kernels = job.kernels;
    request.functions = job.functions;
    return ptx::serialize(ptx::translate(request));
}

Reply answer(const ptx::Job& job) {
    try {
        return {Reply::Status::ok, {}, do_job(job), {}};
    } catch (const ptx::Error& error) {
        return {Reply::Status::invalid_ptx, error.diagnostic().text(), {}, {}};
    } catch (const std::bad_alloc&) {
        return {Reply::Status::internal_error, "out of memory", {}, {}};
    } catch (const std::exception& error) {
        return {Reply::Status::internal_error, error.what(), {}, {}};
    }
}

[[noreturn]] void run_job(int socket, pid_t server) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != server) _exit(0);
    // Other jobs' sockets are open here too, and whoever waits at their other ends must see them close.
    job_socket = 3;
    if (socket != job_socket) dup2(socket, job_socket);
    close_range(unsigned(job_socket) + 1, ~0U, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    ptx::set_fatal_error_handler(give_up);
    std::set_new_handler(give_up_without_memory);
    const auto frame = ptx::read_frame(job_socket);
    if (!frame) _exit(0);
    Reply reply;
    try {
        reply = answer(ptx::deserialize_job(*frame));
    } catch (const std::exception& error) {
        reply = {Reply::Status::internal_error, std::string("the job cannot be read: ") + error.what(), {}, {}};
    }
    send_reply(job_socket, std::move(reply));
    _exit(0);
}

// ---- In the server ----

std::string cause_of_death(int status) {
    if (WIFSIGNALED(status)) {
        const int number = WTERMSIG(status);
        return "the translator died of signal " + std::to_string(number) + " (" + strsignal(number) + ")";
    }
    if (WEXITSTATUS(status) == out_of_memory_code) return "the translator ran out of memory";
    return "the translator ended with exit code " + std::to_string(WEXITSTATUS(status));
}

class JobServer {
  public:
    JobServer(int control, int signals) : control_(control), signals_(signals) {}

    void run() {
        while (true) {
            pollfd all[2] = {{jobs_.size() < most_jobs_ ? control_ : -1, POLLIN, 0}, {signals_, POLLIN, 0}};
            if (poll(all, 2, -1) < 0) continue;
            if (all[1].revents != 0) collect_children();
            if (all[0].revents != 0 && !accept_job()) return;
        }
    }

  private:
    /// False when the other end is closed.
    bool accept_job() {
        char byte;
        iovec data{&byte, 1};
        alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))];
        msghdr message{};
        message.msg_iov = &data;
        message.msg_iovlen = 1;
        message.msg_control = space;
        message.msg_controllen = sizeof space;
        const ssize_t got = recvmsg(control_, &message, MSG_CMSG_CLOEXEC);
        if (got < 0) return errno == EINTR || errno == EAGAIN;
        if (got == 0) return false;
        const cmsghdr* header = CMSG_FIRSTHDR(&message);
        if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return true;
        int socket;
        std::memcpy(&socket, CMSG_DATA(header), sizeof socket);
        start(socket);
        return true;
    }

    void start(int socket) {
        const pid_t server = getpid(), child = fork();
        if (child == 0) run_job(socket, server);
        if (child > 0) {
            jobs_[child] = socket;
            return;
        }
        send_reply(socket, {Reply::Status::internal_error, std::string("fork: ") + std::strerror(errno), {}, {}});
        close(socket);
    }

    void collect_children() {
        signalfd_siginfo news;
        while (read(signals_, &news, sizeof news) < 0 && errno == EINTR) {
        }
        int status;
        for (pid_t child; (child = waitpid(-1, &status, WNOHANG)) > 0;) {
            const auto job = jobs_.find(child);
            if (job == jobs_.end()) continue;
            // Kept open for this: a child that ends well has sent its whole reply.
            if (status != 0) send_reply(job->second, {Reply::Status::internal_error, cause_of_death(status), {}, {}});
            close(job->second);
            jobs_.erase(job);
        }
    }

    const int control_, signals_;
    const size_t most_jobs_ = 2 + std::thread::hardware_concurrency();
    std::map<pid_t, int> jobs_;
};

/// Goes on in a child and ends the process that was started.
bool leave_parent() {
    const pid_t child = fork();
    if (child > 0) _exit(0);
    return child == 0;
}

} // namespace

int serve(int control_descriptor) {
    if (!leave_parent()) return 1;
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGPIPE, SIG_IGN);
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_BLOCK, &children, nullptr);
    const int signals = signalfd(-1, &children, SFD_CLOEXEC);
    if (signals < 0) {
        std::perror("cuttle-ptxc: signalfd");
        return 1;
    }
    ptx::warm_up();
    JobServer(control_descriptor, signals).run();
    return 0;
}
