# Interpreter threads: sharing, locks, queues, joining.
use strict;
use warnings;
no warnings 'threads';
use threads;
use threads::shared;
use Thread::Queue;

my $count : shared = 0;
my @workers = map { threads->create(sub { for (1 .. 200) { lock $count; $count++ } return $_[0] * 2 }, $_) } 1 .. 4;
print "results ", join(',', map { $_->join } @workers), "\n";
print "count $count\n";
my ($jobs, $results) = (Thread::Queue->new, Thread::Queue->new);
my @servers = map { threads->create(sub { while (defined(my $n = $jobs->dequeue)) { $results->enqueue($n * $n) } }) } 1 .. 3;
$jobs->enqueue(1 .. 50);
$jobs->end;
$_->join for @servers;
my $sum = 0;
$sum += $results->dequeue for 1 .. 50;
print "sum $sum\n";
my $ready : shared = 0;
my $waiter = threads->create(sub { lock $ready; cond_wait $ready until $ready; "woken $ready" });
{ lock $ready; $ready = 7; cond_signal $ready; }
print $waiter->join, "\n";
my $own = 1;
threads->create(sub { $own = 2 })->join;
print "own $own\n";
my $dying = threads->create(sub { die "inside\n" });
$dying->join;
print "error ", $dying->error;
my $signalled = threads->create(sub { local $SIG{KILL} = sub { threads->exit }; sleep 1 while 1 });
select undef, undef, undef, 0.2;
$signalled->kill('KILL')->join;
print "left ", scalar threads->list, "\n";
