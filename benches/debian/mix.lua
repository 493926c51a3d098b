-- Tables, strings, closures and floating point; the argument is the number of rounds.
local rounds = tonumber(arg[1])

local function queens(n)
    local columns, up, down, count = {}, {}, {}, 0
    local function place(row)
        if row > n then
            count = count + 1
            return
        end
        for column = 1, n do
            if not columns[column] and not up[row + column] and not down[row - column + n] then
                columns[column], up[row + column], down[row - column + n] = true, true, true
                place(row + 1)
                columns[column], up[row + column], down[row - column + n] = nil, nil, nil
            end
        end
    end
    place(1)
    return count
end

local function words(seed)
    local list, state = {}, seed
    for i = 1, 2000 do
        state = (state * 1103515245 + 12345) % 2147483648
        list[i] = string.format("w%05d", state % 5000)
    end
    table.sort(list)
    local counts, text = {}, table.concat(list, " ")
    for word in text:gmatch("%a(%d+)") do counts[word] = (counts[word] or 0) + 1 end
    local most = 0
    for _, count in pairs(counts) do most = math.max(most, count) end
    return most + #text:gsub("0", ""):upper()
end

local function waves(n)
    local sum = 0.0
    for i = 1, n do sum = sum + math.sqrt(i) / (1.0 + i * 0.5) end
    return sum
end

local total = 0
for round = 1, rounds do
    total = total + queens(7) + words(round) + math.floor(waves(20000) * 1000)
end
print(total)
