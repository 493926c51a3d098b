// C++ exceptions through frames with destructors, rethrow, nested, from constructors, across recursion.

#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

static int alive;

struct Tracked {
    int id;
    explicit Tracked(int n) : id(n) { alive++; }
    ~Tracked() { alive--; }
};

struct Special : std::runtime_error {
    int code;
    explicit Special(int n) : std::runtime_error("special " + std::to_string(n)), code(n) {}
};

struct Fragile {
    Tracked first{1};
    Tracked second;
    explicit Fragile(bool fail) : second(2) {
        if (fail) throw std::logic_error("constructor");
    }
};

[[gnu::noinline]] static void descend(int depth) {
    Tracked guard(depth);
    if (depth == 0) throw Special(17);
    descend(depth - 1);
}

[[gnu::noinline]] static int choose(int kind) {
    try {
        switch (kind) {
        case 0: throw 5;
        case 1: throw std::string("text");
        case 2: throw Special(3);
        case 3: throw std::out_of_range("range");
        case 4: throw 2.5;
        case 5: std::vector<int>().at(3); break;
        default: return -1;
        }
    } catch (int n) {
        return n;
    } catch (const std::string &text) {
        return static_cast<int>(text.size());
    } catch (const Special &special) {
        return 100 + special.code;
    } catch (const std::logic_error &error) {
        return 200 + static_cast<int>(std::string(error.what()).size() > 0);
    } catch (...) {
        return 300;
    }
    return -2;
}

int main() {
    for (int depth : {0, 1, 100, 2000}) {
        try {
            descend(depth);
        } catch (const std::exception &error) {
            std::printf("depth %d: %s, alive %d\n", depth, error.what(), alive);
        }
    }
    for (int kind = 0; kind < 7; kind++) std::printf("choose %d = %d\n", kind, choose(kind));
    try {
        Fragile fine(false);
        Fragile broken(true);
    } catch (const std::logic_error &error) {
        std::printf("%s, alive %d\n", error.what(), alive);
    }
    try {
        try {
            throw Special(9);
        } catch (const std::runtime_error &) {
            throw;
        }
    } catch (const Special &special) {
        std::printf("rethrown %d\n", special.code);
    }
    try {
        try {
            throw std::runtime_error("inner");
        } catch (...) {
            std::throw_with_nested(std::runtime_error("outer"));
        }
    } catch (const std::exception &outer) {
        try {
            std::rethrow_if_nested(outer);
        } catch (const std::exception &inner) {
            std::printf("%s around %s\n", outer.what(), inner.what());
        }
    }
    std::exception_ptr kept;
    try {
        throw 77;
    } catch (...) {
        kept = std::current_exception();
    }
    try {
        std::rethrow_exception(kept);
    } catch (int n) {
        std::printf("kept %d\n", n);
    }
    try {
        std::function<void()> empty;
        empty();
    } catch (const std::bad_function_call &) {
        std::puts("bad function call");
    }
    long total = 0;
    for (int i = 0; i < 2000; i++) {
        try {
            if (i % 3 == 0) throw i;
            total++;
        } catch (int n) {
            total += n;
        }
    }
    std::printf("total %ld alive %d\n", total, alive);
    return 0;
}
