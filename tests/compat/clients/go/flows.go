// Command flows drives a server with the official Go client, and prints what happened as one JSON object.
// Arguments: the base URL, and "azure" if it is an address for Azure, "documents" for the calls about files, or "".
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/azure"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"
)

type seen map[string]any

var background = context.Background()

func main() {
	client := newClient(os.Args[1], os.Args[2])
	found := seen{}
	if os.Args[2] == "documents" {
		documents(client, found)
	} else {
		runs(client, found)
	}
	fmt.Println(string(must(json.Marshal(found))))
}

func runs(client openai.Client, found seen) {
	assistant := must(client.Beta.Assistants.New(background, openai.BetaAssistantNewParams{
		Model: "gpt-4o", Instructions: openai.String("Be brief."),
	}))
	polled(client, assistant, found)
	streamed(client, assistant, found)
	functions(client, found)
	_, err := client.Beta.Threads.Get(background, "thread_000000000000000000000000")
	var refused *openai.Error
	errors.As(err, &refused)
	found["missing"] = refused.StatusCode
	found["deleted"] = must(client.Beta.Assistants.Delete(background, assistant.ID)).Deleted
}

func newClient(url string, flavour string) openai.Client {
	if flavour == "azure" {
		return openai.NewClient(
			azure.WithEndpoint(url, "2024-05-01-preview"), azure.WithAPIKey("any"), azure.WithUnsafeAllowHTTP(),
			option.WithMaxRetries(0),
		)
	}
	return openai.NewClient(option.WithBaseURL(url+"/"), option.WithAPIKey("any"), option.WithMaxRetries(0))
}

func polled(client openai.Client, assistant *openai.Assistant, found seen) {
	thread := newThread(client, "Hi")
	run := settled(client, must(client.Beta.Threads.Runs.New(background, thread.ID, openai.BetaThreadRunNewParams{
		AssistantID: assistant.ID,
	})))
	texts := []string{}
	pages := client.Beta.Threads.Messages.ListAutoPaging(background, thread.ID, openai.BetaThreadMessageListParams{
		Limit: openai.Int(1), Order: openai.BetaThreadMessageListParamsOrderAsc,
	})
	for pages.Next() {
		texts = append(texts, pages.Current().Content[0].Text.Value)
	}
	found["polled"] = []any{run.Status, run.Usage.TotalTokens, texts}
}

func streamed(client openai.Client, assistant *openai.Assistant, found seen) {
	thread := newThread(client, "Hi")
	stream := client.Beta.Threads.Runs.NewStreaming(background, thread.ID, openai.BetaThreadRunNewParams{
		AssistantID: assistant.ID,
	})
	events, text := []string{}, ""
	for stream.Next() {
		events = append(events, stream.Current().Event)
		if delta := stream.Current().AsThreadMessageDelta(); stream.Current().Event == "thread.message.delta" {
			text += delta.Data.Delta.Content[0].Text.Value
		}
	}
	found["streamed"], found["events"], found["error"] = text, events, stream.Err()
}

func functions(client openai.Client, found seen) {
	tool := openai.AssistantToolUnionParam{OfFunction: &openai.FunctionToolParam{
		Function: shared.FunctionDefinitionParam{Name: "weather"},
	}}
	forecaster := must(client.Beta.Assistants.New(background, openai.BetaAssistantNewParams{
		Model: "gpt-4o", Tools: []openai.AssistantToolUnionParam{tool},
	}))
	thread := newThread(client, "Oslo?")
	run := settled(client, must(client.Beta.Threads.Runs.New(background, thread.ID, openai.BetaThreadRunNewParams{
		AssistantID: forecaster.ID,
	})))
	call := run.RequiredAction.SubmitToolOutputs.ToolCalls[0]
	found["asked"] = []any{run.Status, call.Function.Name, call.Function.Arguments}
	rest := client.Beta.Threads.Runs.SubmitToolOutputsStreaming(
		background, thread.ID, run.ID, openai.BetaThreadRunSubmitToolOutputsParams{
			ToolOutputs: []openai.BetaThreadRunSubmitToolOutputsParamsToolOutput{{ToolCallID: openai.String(call.ID)}},
		})
	last := ""
	for rest.Next() {
		last = rest.Current().Event
	}
	found["answered"] = last
}

func newThread(client openai.Client, text string) *openai.Thread {
	thread := must(client.Beta.Threads.New(background, openai.BetaThreadNewParams{}))
	must(client.Beta.Threads.Messages.New(background, thread.ID, openai.BetaThreadMessageNewParams{
		Role: "user", Content: openai.BetaThreadMessageNewParamsContentUnion{OfString: openai.String(text)},
	}))
	return thread
}

func settled(client openai.Client, run *openai.Run) *openai.Run {
	for run.Status == "queued" || run.Status == "in_progress" {
		time.Sleep(10 * time.Millisecond)
		run = must(client.Beta.Threads.Runs.Get(background, run.ThreadID, run.ID))
	}
	return run
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
