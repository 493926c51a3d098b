# fork, pipes to and from programs, %SIG, waitpid, alarm, exec.
use strict;
use warnings;
use POSIX qw(:sys_wait_h :signal_h);
use IPC::Open3;
use Socket;
$| = 1;

my $pid = fork // die;
exit 5 unless $pid;
waitpid $pid, 0;
printf "exit %d\n", $? >> 8;
my %code;
for my $n (1 .. 6) {
    my $child = fork // die;
    exit $n unless $child;
    $code{$child} = $n;
}
my $sum = 0;
while ((my $child = wait) > 0) { $sum += ($? >> 8) == $code{$child} ? $code{$child} : 1000; }
print "sum $sum\n";

open my $from, '-|', 'seq', '5' or die;
print "seq ", join(',', map { chomp; $_ } <$from>), "\n";
close $from;
open my $to, '|-', 'sort -r | tr a-z A-Z' or die;
print $to "$_\n" for qw(b c a);
close $to;
my $child = open my $forked, '-|';
unless ($child) { print "from the fork\n"; exit 2; }
print <$forked>;
close $forked;
printf "closed %d\n", $? >> 8;
my $output = `echo back; exit 3`;
printf "%d %s", $? >> 8, $output;
printf "system %d\n", system('exit 4;') >> 8;
{ no warnings 'exec'; printf "missing %d\n", system { '/nothing/of/this/name' } 'x'; }
my $three = open3(my $in, my $out, undef, 'sh', '-c', 'read x; echo "got $x"; echo err >&2');
print $in "word\n";
close $in;
print sort <$out>;
waitpid $three, 0;

my @seen;
local $SIG{USR1} = sub { push @seen, shift };
kill USR1 => $$ for 1 .. 3;
print "signals @seen\n";
eval {
    local $SIG{ALRM} = sub { die "alarm\n" };
    alarm 1;
    select undef, undef, undef, 30;
};
print "eval $@";
local $SIG{CHLD} = sub { while ((my $p = waitpid -1, WNOHANG) > 0) { push @seen, $? >> 8 } };
@seen = ();
unless (fork) { exit 8 }
my $end = time + 30;
select undef, undef, undef, 0.05 while !@seen && time < $end;
print "reaped @seen\n";
$SIG{CHLD} = 'DEFAULT';
my $victim = fork // die;
unless ($victim) { sleep 30; exit 1; }
kill TERM => $victim;
waitpid $victim, 0;
printf "ended by %d\n", $? & 127;
my $set = POSIX::SigSet->new(SIGUSR1);
@seen = ();
sigprocmask(SIG_BLOCK, $set);
kill USR1 => $$;
print "blocked ", scalar @seen, "\n";
sigprocmask(SIG_UNBLOCK, $set);
print "unblocked @seen\n";

socketpair my $left, my $right, AF_UNIX, SOCK_STREAM, 0 or die;
unless (fork) { syswrite $right, "over the pair\n"; exit 0; }
close $right;
print scalar <$left>;
wait;
local $SIG{__DIE__} = sub { print "dying: @_" };
eval { die "here\n" };
exec 'sh', '-c', 'echo replaced; exit 0';
