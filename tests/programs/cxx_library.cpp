// The C++ library: containers, algorithms, streams, regular expressions, virtual calls, templates, thread_local.

#include <algorithm>
#include <cstdint>
#include <deque>
#include <iomanip>
#include <iostream>
#include <list>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

struct Shape {
    virtual ~Shape() = default;
    virtual double area() const = 0;
    virtual std::string name() const { return "shape"; }
};

struct Circle : Shape {
    double r;
    explicit Circle(double radius) : r(radius) {}
    double area() const override { return 3.0 * r * r; }
    std::string name() const override { return "circle"; }
};

struct Named {
    virtual ~Named() = default;
    virtual int tag() const { return 1; }
};

struct Square : Named, Shape {  // two bases: calls through the second adjust `this`
    double side;
    explicit Square(double s) : side(s) {}
    double area() const override { return side * side; }
    int tag() const override { return 2; }
};

struct Cube : Square {
    using Square::Square;
    double area() const override { return 6 * Square::area(); }
};

static thread_local int counter = 40;
static thread_local std::string per_thread = "thread-local string long enough for the heap";

struct Announce {
    const char *name;
    explicit Announce(const char *n) : name(n) { std::cout << "made " << name << '\n'; }
    ~Announce() { std::cout << "gone " << name << std::endl; }
};
static Announce global("global");

static void containers() {
    std::mt19937_64 random(42);
    std::vector<std::uint64_t> numbers(5000);
    for (auto &n : numbers) n = random() % 100000;
    auto sorted = numbers;
    std::sort(sorted.begin(), sorted.end());
    std::stable_sort(numbers.begin(), numbers.end(), [](auto a, auto b) { return a % 100 < b % 100; });
    std::cout << std::is_sorted(sorted.begin(), sorted.end()) << ' ' << sorted[2500] << ' ' << numbers[2500] << '\n';
    std::map<std::string, int> words;
    std::istringstream text("the cat and the dog and the bird");
    for (std::string word; text >> word;) words[word]++;
    for (const auto &[word, count] : words) std::cout << word << '=' << count << ' ';
    std::unordered_map<std::uint64_t, std::uint64_t> squares;
    for (auto n : sorted) squares[n] = n * n;
    std::cout << '\n' << squares.size() << ' ' << squares[sorted[7]] << '\n';
    std::set<int> set;
    for (int i = 0; i < 100; i++) set.insert(i * 37 % 101);
    std::list<int> list(set.begin(), set.end());
    list.remove_if([](int n) { return n % 3 == 0; });
    std::deque<int> deque(list.rbegin(), list.rend());
    std::cout << std::accumulate(deque.begin(), deque.end(), 0L) << ' ' << deque.front() << '\n';
    std::nth_element(numbers.begin(), numbers.begin() + 100, numbers.end());
    std::make_heap(sorted.begin(), sorted.end());
    std::pop_heap(sorted.begin(), sorted.end());
    std::cout << numbers[100] << ' ' << sorted.back() << '\n';
}

int main() {
    std::vector<std::unique_ptr<Shape>> shapes;
    shapes.push_back(std::make_unique<Circle>(2.0));
    shapes.push_back(std::make_unique<Square>(3.0));
    shapes.push_back(std::make_unique<Cube>(1.5));
    for (const auto &shape : shapes) {
        std::cout << shape->name() << ' ' << shape->area();
        if (auto *named = dynamic_cast<Named *>(shape.get())) std::cout << " tag " << named->tag();
        if (dynamic_cast<Cube *>(shape.get())) std::cout << " cube";
        std::cout << '\n';
    }
    containers();
    counter += 2;
    per_thread += '!';
    std::cout << counter << ' ' << per_thread << '\n';
    std::cout << std::hex << std::showbase << 48879 << std::dec << ' ' << std::setprecision(12) << 1.0 / 3 << ' ' << std::setw(8)
              << std::setfill('*') << std::left << "pad" << ' ' << std::scientific << 12345.678 << '\n';
    std::regex pattern("([a-z]+)@([a-z]+)\\.org");
    std::smatch match;
    std::string mail = "write to someone@example.org now";
    if (std::regex_search(mail, match, pattern)) std::cout << match[1] << " at " << match[2] << '\n';
    std::variant<int, std::string> either = "variant";
    std::visit([](const auto &value) { std::cout << value << '\n'; }, either);
    auto shared = std::make_shared<int>(5);
    std::weak_ptr<int> weak = shared;
    std::cout << shared.use_count() << ' ' << weak.expired();
    shared.reset();
    std::cout << ' ' << weak.expired() << '\n';
    return 0;
}
