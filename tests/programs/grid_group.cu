#include "program.h"

#include <algorithm>

// The grid as a group by the functions of libcudadevrt, which Numba calls: handles, sizes, ranks and meetings.
struct Answers {
    unsigned long long handles[3], unused;
    unsigned size[2], rank[2];
    int size_status, rank_status, null_status[2], meeting_status, block_meeting_status, wrong_flags_status;
    int stale; ///< words of other threads that were not there after a meeting
};

__global__ void ask(Answers* answers, int* words, int rounds, bool cooperative) {
    const int block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    const int block_size = blockDim.x * blockDim.y * blockDim.z, n = gridDim.x * gridDim.y * gridDim.z * block_size;
    const int me = block * block_size + threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    Answers& mine = answers[me];
    for (int scope = 0; scope < 3; scope++) mine.handles[scope] = cudaCGGetIntrinsicHandle(cudaCGScope(scope));
    const unsigned long long grid = mine.handles[1];
    mine.size_status = cudaCGGetSize(&mine.size[0], &mine.size[1], grid);
    mine.rank_status = cudaCGGetRank(&mine.rank[0], &mine.rank[1], grid);
    unsigned nothing[2];
    mine.null_status[0] = cudaCGGetSize(&nothing[0], &nothing[1], 0);
    mine.null_status[1] = cudaCGGetRank(&nothing[0], &nothing[1], 0);
    mine.wrong_flags_status = cudaCGSynchronize(grid, 2);
    mine.stale = 0;
    for (int r = 0; r < (cooperative ? rounds : 2); r++) {
        volatile int* row = words + r * n;
        row[me] = r + 1;
        __threadfence();
        if (r % 2)
            mine.meeting_status = cudaCGSynchronize(grid, 0);
        else
            mine.block_meeting_status = cudaCGSynchronizeGrid(grid, 0);
        if (cooperative) mine.stale += row[(me + 333 * (r + 1)) % n] != r + 1;
    }
}

int main() {
    const int rounds = 16;
    struct Shape {
        dim3 grid, block;
        bool cooperative;
    } shapes[] = {{dim3(4), dim3(64), false},
                  {dim3(8), dim3(128), true},
                  {dim3(2, 3, 2), dim3(8, 4, 2), true},
                  {dim3(1), dim3(33), true}};
    for (Shape& s : shapes) {
        const int n = s.grid.x * s.grid.y * s.grid.z * s.block.x * s.block.y * s.block.z;
        DeviceArray<Answers> answers{std::vector<Answers>(n)};
        DeviceArray<int> words{std::vector<int>(n * rounds)};
        int turns = rounds;
        void* arguments[] = {&answers.data, &words.data, &turns, &s.cooperative};
        if (s.cooperative)
            CHECK(cudaLaunchCooperativeKernel((const void*)ask, s.grid, s.block, arguments, 0, 0));
        else
            CHECK(cudaLaunchKernel((const void*)ask, s.grid, s.block, arguments, 0, 0));
        CHECK(cudaDeviceSynchronize());
        const std::vector<Answers> all = answers.download();
        int stale = 0;
        for (const Answers& a : all) stale += a.stale;
        std::printf("%d threads, stale %d\n", n, stale);
        for (int i : {0, n / 2 + 5, n - 1}) {
            const Answers& a = all[i];
            std::printf("%4d handles %llx %llx %llx size %d %u %u rank %d %u %u null %d %d meet %d %d wrong %d\n", i,
                        a.handles[0], a.handles[1], a.handles[2], a.size_status, a.size[0], a.size[1], a.rank_status,
                        a.rank[0], a.rank[1], a.null_status[0], a.null_status[1], a.meeting_status,
                        a.block_meeting_status, a.wrong_flags_status);
        }
    }
    return passed();
}
