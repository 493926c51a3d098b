# Regular expressions, sorting, hashes, sprintf, pack, references, closures, local time arithmetic.
use strict;
use warnings;
use List::Util qw(sum max first shuffle);
use POSIX qw(floor fmod strftime);

my $text = "The quick brown fox; the lazy dog: the end. " x 50;
my %count;
$count{lc $1}++ while $text =~ /(\w+)/g;
print join(",", map { "$_=$count{$_}" } sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count), "\n";
(my $changed = $text) =~ s/(\w+) (\w+)/$2 $1/g;
print substr($changed, 0, 60), " ", length($changed), "\n";
my @sorted = sort { $a <=> $b } map { ($_ * 7919) % 10007 } 1 .. 3000;
print "@sorted[0 .. 9] ", sum(@sorted), " ", max(@sorted), "\n";
printf "%05d|%-6s|%+.3e|%x|%b|%s\n", 42, "left", 12345.678, 48879, 10, join "", map { chr(ord("a") + $_) } 0 .. 5;
my $packed = pack("NnCa4d<q<", 0xdeadbeef, 0xcafe, 7, "text", 2.5, -9);
print unpack("H*", $packed), " ", join(" ", unpack("NnCa4d<q<", $packed)), "\n";
my @stack = map { my $n = $_; sub { $n * shift } } 1 .. 5;
print join(" ", map { $_->(10) } @stack), "\n";
my $tree = {};
for my $word (qw(m f t b h p w a c)) {
    my $node = \$tree;
    $node = $word lt $$node->{word} ? \$$node->{left} : \$$node->{right} while $$node && $$node->{word};
    $$node = { word => $word };
}
sub walk { my $n = shift or return ""; return walk($n->{left}) . $n->{word} . walk($n->{right}) }
print walk($tree), "\n";
print strftime("%Y-%m-%d %H:%M:%S", gmtime(1234567890)), " ", floor(-2.5), " ", fmod(7.5, 2), "\n";
my ($x, $y) = (1, 1);
($x, $y) = ($y, $x + $y) for 1 .. 85;
print "$x ", 2**53 + 1, " ", 10 / 3, " ", 1e15 * 10, " ", 0x7fffffffffffffff + 1, "\n";
eval { die { code => 42 } };
print "caught $@->{code}\n";
print "nested\n" if "((a)(b(c)))" =~ /^(\((?:[^()]++|(?1))*\))$/;
print join("|", split /\s*[,;]\s*/, "one , two;three ;four"), "\n";
print "unicode ", length("gr\x{fc}n"), " ", uc("stra\x{df}e") eq "STRASSE" ? 1 : 0, "\n";
