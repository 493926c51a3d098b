/* One function of each file of the project. */
unsigned part0(unsigned), part1(unsigned), part2(unsigned), part3(unsigned), part4(unsigned);
unsigned part5(unsigned), part6(unsigned), part7(unsigned), part8(unsigned);
