// Goroutines, channels, garbage, timers, programs, signals and HTTP; what it prints does not depend on the order.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func channels() {
	numbers, squares := make(chan int), make(chan int, 8)
	var workers sync.WaitGroup
	for range 8 {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for n := range numbers {
				squares <- n * n
			}
		}()
	}
	go func() {
		for n := range 10000 {
			numbers <- n
		}
		close(numbers)
		workers.Wait()
		close(squares)
	}()
	sum := 0
	for n := range squares {
		sum += n
	}
	fmt.Println("squares", sum)

	// A chain of a thousand goroutines.
	first := make(chan int)
	last := first
	for range 1000 {
		next := make(chan int)
		go func(in, out chan int) { out <- 1 + <-in }(last, next)
		last = next
	}
	first <- 0
	fmt.Println("chain", <-last)

	var count atomic.Int64
	var mutex sync.RWMutex
	table := map[int]int{}
	var group sync.WaitGroup
	for n := range 50 {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := range 200 {
				count.Add(1)
				mutex.Lock()
				table[i%10] += n
				mutex.Unlock()
				if i%50 == 0 {
					runtime.Gosched()
				}
			}
		}()
	}
	group.Wait()
	fmt.Println("table", count.Load(), table[3])
}

type node struct {
	left, right *node
	text        string
}

func tree(depth int) *node {
	if depth == 0 {
		return &node{text: strings.Repeat("x", 10)}
	}
	return &node{tree(depth - 1), tree(depth - 1), ""}
}

func (n *node) size() int {
	if n == nil {
		return 0
	}
	return 1 + n.left.size() + n.right.size()
}

func garbage() {
	kept := tree(14)
	var group sync.WaitGroup
	var total atomic.Int64
	for range 4 {
		group.Add(1)
		go func() {
			defer group.Done()
			for range 20 {
				total.Add(int64(tree(10).size()))
			}
		}()
	}
	group.Wait()
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	fmt.Println("trees", total.Load(), kept.size(), memory.NumGC > 1)
}

// A loop without calls: only a signal can take the processor from it.
func preemption() {
	runtime.GOMAXPROCS(1)
	var stop atomic.Bool
	go func() {
		for !stop.Load() {
		}
	}()
	time.Sleep(20 * time.Millisecond)
	stop.Store(true)
	runtime.GOMAXPROCS(runtime.NumCPU())
	fmt.Println("preempted")
}

func timers() {
	ticker := time.NewTicker(5 * time.Millisecond)
	for range 5 {
		<-ticker.C
	}
	ticker.Stop()
	deadline, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	select {
	case <-deadline.Done():
		fmt.Println("timer", deadline.Err())
	case <-time.After(30 * time.Second):
		fmt.Println("timer lost")
	}
	order := make(chan int, 3)
	for _, n := range []int{3, 1, 2} {
		time.AfterFunc(time.Duration(n)*60*time.Millisecond, func() { order <- n })
	}
	fmt.Println("order", <-order, <-order, <-order)
}

func faults() {
	defer func() {
		problem := recover()
		var fault runtime.Error
		fmt.Println("recovered", errors.As(problem.(error), &fault), problem)
	}()
	var nothing *node
	fmt.Println(nothing.text)
}

func programs() {
	output, err := exec.Command("sh", "-c", "echo from sh; exit 3").Output()
	fmt.Printf("sh %q %v\n", output, err)
	command := exec.Command("tr", "a-z", "A-Z")
	command.Stdin = strings.NewReader("through tr")
	output, err = command.CombinedOutput()
	fmt.Printf("tr %q %v\n", output, err)
	_, err = exec.Command("nothing-of-this-name").Output()
	fmt.Println(errors.Is(err, exec.ErrNotFound))
	limit, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	fmt.Println("sleep", exec.CommandContext(limit, "sleep", "30").Run())
	if self, err := os.Executable(); err == nil {
		output, err = exec.Command(self, "child").Output()
		fmt.Printf("self %q %v\n", output, err)
	}
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGUSR1)
	syscall.Kill(os.Getpid(), syscall.SIGUSR1)
	fmt.Println("signal", <-caught)
}

func web() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /upper/{name}", func(response http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		fmt.Fprintf(response, "%s: %d %s", request.PathValue("name"), len(body), strings.ToUpper(string(body[:5])))
	})
	server := http.Server{Handler: mux}
	go server.Serve(listener)
	answers := make([]string, 20)
	var group sync.WaitGroup
	for n := range answers {
		group.Add(1)
		go func() {
			defer group.Done()
			body := strings.NewReader(strings.Repeat("hello ", 1000*(n+1)))
			response, err := http.Post(fmt.Sprintf("http://%s/upper/n%02d", listener.Addr(), n), "text/plain", body)
			if err != nil {
				answers[n] = err.Error()
				return
			}
			defer response.Body.Close()
			text, _ := io.ReadAll(response.Body)
			answers[n] = string(text)
		}()
	}
	group.Wait()
	sort.Strings(answers)
	fmt.Println(strings.Join(answers, "\n"))
	fmt.Println("closed", server.Shutdown(context.Background()))
}

func main() {
	if len(os.Args) > 1 {
		fmt.Println("I am the", os.Args[1])
		return
	}
	channels()
	garbage()
	preemption()
	timers()
	faults()
	programs()
	web()
}
