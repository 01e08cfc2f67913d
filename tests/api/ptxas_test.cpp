#include "driver_fixture.h"
#include "kernels.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/wait.h>

// The stand-in for NVIDIA's assembler, called as Triton and XLA call that.
using namespace shim;

namespace {

class Ptxas : public Driver {
  protected:
    void SetUp() override {
        Driver::SetUp();
        char name[] = "/tmp/cuttle_ptxas_test_XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        folder = name;
    }
    void TearDown() override {
        std::filesystem::remove_all(folder);
        Driver::TearDown();
    }
    /// Runs it in the folder, with both streams together in `said`. The exit code.
    int run(const std::string& arguments) {
        const std::string command = "cd " + folder.string() + " && '" CUTTLE_PTXAS "' " + arguments + " 2>&1";
        FILE* pipe = popen(command.c_str(), "r");
        said.clear();
        char buffer[4096];
        while (const size_t got = fread(buffer, 1, sizeof buffer, pipe)) said.append(buffer, got);
        const int status = pclose(pipe);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    void write(const char* name, const char* text) { std::ofstream(folder / name) << text; }

    std::filesystem::path folder;
    std::string said;
};

TEST_F(Ptxas, MakesWhatTheDriverLoads) {
    write("add.ptx", kernels::add);
    ASSERT_EQ(run("-lineinfo -v --gpu-name=sm_90a add.ptx -o add.cubin"), 0) << said;
    EXPECT_NE(said.find("Compiling entry function 'add' for 'sm_90a'"), std::string::npos) << said;
    EXPECT_EQ(said.find("Used"), std::string::npos) << "what is not known is not told";
    CUmodule module = nullptr;
    CUfunction kernel = nullptr;
    ASSERT_OK(cuModuleLoad(&module, (folder / "add.cubin").c_str()));
    EXPECT_OK(cuModuleGetFunction(&kernel, module, "add"));
    EXPECT_OK(cuModuleUnload(module));
    EXPECT_EQ(run("add.ptx -arch sm_80 -O3 --output-file other.cubin --maxrregcount 32"), 0) << said;
    EXPECT_EQ(said, "");
    EXPECT_TRUE(std::filesystem::exists(folder / "other.cubin"));
}

TEST_F(Ptxas, SaysWhatIsWrong) {
    write("broken.ptx", kernels::broken);
    EXPECT_EQ(run("--gpu-name=sm_90 broken.ptx -o broken.cubin"), 255);
    EXPECT_NE(said.find("ptxas broken.ptx, line 7; error   : "), std::string::npos) << said;
    EXPECT_NE(said.find("frobnicate"), std::string::npos) << said;
    EXPECT_NE(said.find("ptxas fatal   : "), std::string::npos) << said;
    EXPECT_FALSE(std::filesystem::exists(folder / "broken.cubin"));
    write("caller.ptx", kernels::caller);
    EXPECT_EQ(run("--gpu-name=sm_90 caller.ptx"), 255);
    EXPECT_NE(said.find("twice"), std::string::npos) << said;
    write("text.ptx", "no PTX at all");
    EXPECT_EQ(run("--gpu-name=sm_90 text.ptx"), 255);
    EXPECT_NE(said.find("ptxas text.ptx, line 1; error   : "), std::string::npos) << said;
    write("add.ptx", kernels::add); // for sm_70
    EXPECT_EQ(run("--gpu-name=sm_60 add.ptx"), 255) << said;
    EXPECT_EQ(run("--gpu-name=90 add.ptx"), 255) << said;
    EXPECT_EQ(run("--no-such-option add.ptx"), 255) << said;
    EXPECT_EQ(run("--gpu-name=sm_90 missing.ptx"), 255) << said;
    EXPECT_EQ(run("--gpu-name=sm_90 add.ptx -o missing/add.cubin"), 255) << said;
    EXPECT_EQ(run("--gpu-name=sm_90"), 255) << said;
}

TEST_F(Ptxas, TellsAVersion) {
    ASSERT_EQ(run("--version"), 0);
    EXPECT_NE(said.find("release 13.0, V13.0."), std::string::npos) << said; // what Triton and XLA look for
}

} // namespace
