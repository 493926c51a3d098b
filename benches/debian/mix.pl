# Hashes, regular expressions, sorting and arithmetic; the argument is the number of rounds.
use strict;
use warnings;

sub words {
    my ($state) = @_;
    my %count;
    my $text = "";
    for my $i (1 .. 2500) {
        $state = ($state * 1103515245 + 12345) & 0x7fffffff;
        $text .= "w" . ($state % 3000) . " ";
    }
    $count{$1}++ while $text =~ /w(\d+) /g;
    my @order = sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count;
    (my $changed = $text) =~ s/(\d)(\d)/$2$1/g;
    return $count{$order[0]} * scalar(@order) + length($changed) + ($changed =~ tr/7//);
}

sub collatz {
    my ($limit) = @_;
    my $longest = 0;
    for my $start (1 .. $limit) {
        my ($n, $steps) = ($start, 0);
        while ($n != 1) {
            $n = $n % 2 ? 3 * $n + 1 : $n / 2;
            $steps++;
        }
        $longest = $steps if $steps > $longest;
    }
    return $longest;
}

my $total = 0;
$total += words($_) + collatz(400) for 1 .. $ARGV[0];
print "$total\n";
