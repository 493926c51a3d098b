-- Tables, closures, coroutines, metatables, string patterns, integer and float arithmetic.
local function sieve(n)
  local composite, primes = {}, {}
  for i = 2, n do
    if not composite[i] then
      primes[#primes + 1] = i
      for j = i * i, n, i do composite[j] = true end
    end
  end
  return primes
end
local primes = sieve(20000)
print(#primes, primes[#primes], table.concat(primes, " ", 1, 10))

local Vector = {}
Vector.__index = Vector
Vector.__add = function(a, b) return setmetatable({ x = a.x + b.x, y = a.y + b.y }, Vector) end
Vector.__tostring = function(v) return string.format("(%g, %g)", v.x, v.y) end
local sum = setmetatable({ x = 0, y = 0 }, Vector)
for i = 1, 100 do sum = sum + setmetatable({ x = i, y = 1 / i }, Vector) end
print(tostring(sum))

local generator = coroutine.wrap(function()
  local a, b = 0, 1
  while true do coroutine.yield(a); a, b = b, a + b end
end)
local numbers = {}
for _ = 1, 60 do numbers[#numbers + 1] = generator() end
print(table.concat(numbers, ","))

local words = {}
for word in ("the quick brown fox jumps over the lazy dog the end"):gmatch("%a+") do
  words[word] = (words[word] or 0) + 1
end
local names = {}
for name in pairs(words) do names[#names + 1] = name end
table.sort(names)
for _, name in ipairs(names) do io.write(name, "=", words[name], " ") end
print()
print(("x"):rep(5), ("hello"):upper(), ("a,b,c"):gsub(",", ";"), ("%d %5.2f %q"):format(42, 3.14159, "quo\"te"))
print(7 // 2, -7 // 2, 7 % -3, 7.5 // 2, 1 << 62, ~0, 5 // 0.0, math.maxinteger + 1 == math.mininteger)
print(pcall(error, { code = 5 }), select("#", pcall(function() return 1 + nil end)))
local packed = string.pack("<i4d z", -5, 2.5, "text")
print(#packed, string.unpack("<i4d z", packed))
print(string.format("%.14g %.14g %a", math.sin(1), math.sqrt(2), 0.1))
