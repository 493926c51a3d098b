# g++: templates, exceptions, threads, the standard library; then what it made is run.
set -eu
cat >program.cc <<'EOF'
#include <algorithm>
#include <future>
#include <iostream>
#include <map>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <vector>
struct Shape { virtual ~Shape() = default; virtual double area() const = 0; };
struct Square : Shape { double side; explicit Square(double s) : side(s) {} double area() const override { return side * side; } };
int main() {
    std::map<std::string, int> words;
    std::istringstream text("a b a c b a");
    for (std::string word; text >> word;) words[word]++;
    for (const auto &[word, count] : words) std::cout << word << count << ' ';
    std::vector<std::future<long>> parts;
    for (int part = 0; part < 4; part++)
        parts.push_back(std::async(std::launch::async, [part] { long sum = 0; for (int i = part; i < 100000; i += 4) sum += i; return sum; }));
    long sum = 0;
    for (auto &part : parts) sum += part.get();
    std::cout << sum << '\n';
    try { std::async(std::launch::async, [] { throw std::runtime_error("from a thread"); }).get(); }
    catch (const std::exception &error) { std::cout << error.what() << '\n'; }
    try { dynamic_cast<Square &>(*std::unique_ptr<Shape>(new Square(3))).area(); throw 5; } catch (int n) { std::cout << n << '\n'; }
    std::cout << std::regex_replace(std::string("2024-02-29"), std::regex("(\\d+)-(\\d+)-(\\d+)"), "$3.$2.$1") << std::endl;
}
EOF
g++ -std=c++20 -O1 -Wall -o program program.cc
./program
