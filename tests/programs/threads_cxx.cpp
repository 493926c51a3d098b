// build: -pthread -std=c++20
// Threads of C++: objects of each thread with constructors and destructors, exceptions in several at once,
// futures, and the standard locks.

#include <atomic>
#include <barrier>
#include <condition_variable>
#include <cstdio>
#include <future>
#include <latch>
#include <mutex>
#include <numeric>
#include <semaphore>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static std::atomic<int> made, gone;

struct counted {
    std::vector<int> values;
    counted() : values(100, ++made > 0) {}
    ~counted() { gone += (int)values.size() / 100; }
};

static thread_local counted own;
static thread_local std::string name = "thread " + std::to_string(7);

static void locals() {
    std::atomic<long> sum{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; i++)
        threads.emplace_back([&, i] {
            own.values[5] += i;
            name += std::to_string(i);
            sum += std::accumulate(own.values.begin(), own.values.end(), 0) + (long)name.size();
        });
    for (auto &thread : threads) thread.join();
    std::printf("made %d gone %d sum %ld\n", made.load(), gone.load(), sum.load());
}

static int deep(int n, int seed) {
    counted guard;
    if (n == 0) throw std::runtime_error(std::to_string(seed));
    return deep(n - 1, seed) + 1;
}

static void exceptions() {
    std::vector<std::future<long>> results;
    for (int i = 0; i < 8; i++)
        results.push_back(std::async(std::launch::async, [i] {
            long sum = 0;
            for (int j = 0; j < 100; j++) try {
                    deep(j % 10, i * 100 + j);
                } catch (const std::exception &error) {
                    sum += std::stol(error.what());
                }
            if (i == 5) throw std::logic_error("from another thread");
            return sum;
        }));
    long sum = 0;
    for (auto &result : results) try {
            sum += result.get();
        } catch (const std::logic_error &error) {
            std::puts(error.what());
        }
    std::printf("sum %ld balanced %d\n", sum, made - gone);
}

static void locks() {
    std::mutex mutex;
    std::shared_mutex shared;
    std::condition_variable changed;
    std::barrier gate(8);
    std::latch done(8);
    std::counting_semaphore<3> tickets(3);
    std::atomic<int> word{0}, inside{0}, most{0};
    long total = 0, wrong = 0;
    int turn = 0, pair[2] = {0, 0};
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; i++)
        threads.emplace_back([&, i] {
            gate.arrive_and_wait();
            for (int j = 0; j < 200; j++) {
                { std::scoped_lock hold(mutex); total += j; }
                if (i % 4) { std::shared_lock hold(shared); wrong += pair[0] != pair[1]; }
                else { std::unique_lock hold(shared); pair[0]++, pair[1]++; }
                tickets.acquire();
                if (++inside > 3) most = 1;
                --inside;
                tickets.release();
            }
            std::unique_lock hold(mutex);
            changed.wait(hold, [&] { return turn == i; });
            turn++;
            changed.notify_all();
            hold.unlock();
            word.wait(0);
            done.count_down();
        });
    word = 1;
    word.notify_all();
    done.wait();
    std::printf("total %ld wrong %ld turn %d most %d pair %d\n", total, wrong, turn, most.load(), pair[1]);
}

int main() {
    locals();
    exceptions();
    locks();
    std::once_flag flag;
    int times = 0;
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; i++) threads.emplace_back([&] { std::call_once(flag, [&] { times++; }); });
    threads.clear();
    std::printf("once %d\n", times);
    return 0;
}
