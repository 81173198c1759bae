package main

import (
	"errors"
	"io"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/shared"
)

const handbook = "The seal of the pump wears out. \U0001f41d Replace it every 400 hours."

// documents uploads, indexes and searches files.
func documents(client openai.Client, found seen) {
	file := must(client.Files.New(background, upload("pump.txt", handbook)))
	content := must(client.Files.Content(background, file.ID))
	defer content.Body.Close()
	read := string(must(io.ReadAll(content.Body)))
	found["file"] = []any{file.Filename, file.Bytes, file.Status, read == handbook}

	store := must(client.VectorStores.New(background, openai.VectorStoreNewParams{
		Name: openai.String("Handbooks"), ExpiresAfter: openai.VectorStoreNewParamsExpiresAfter{Days: 1},
	}))
	indexed := must(client.VectorStores.Files.NewAndPoll(background, store.ID, openai.VectorStoreFileNewParams{
		FileID: file.ID, Attributes: map[string]openai.VectorStoreFileNewParamsAttributeUnion{
			"year": {OfFloat: openai.Float(2026)},
		},
	}, 0))
	found["indexed"] = []any{indexed.Status, indexed.Attributes["year"].OfFloat}
	others := []openai.FileNewParams{upload("boats.txt", "Boats leave on Mondays."), upload("a.png", "\x89PNG\r\n\x1a\n")}
	batch := must(client.VectorStores.FileBatches.UploadAndPoll(background, store.ID, others, nil, 0))
	found["batch"] = []any{batch.Status, batch.FileCounts.Completed, batch.FileCounts.Failed}

	page := must(client.VectorStores.Search(background, store.ID, openai.VectorStoreSearchParams{
		Query: openai.VectorStoreSearchParamsQueryUnion{OfString: openai.String("seal of the pump")},
		Filters: openai.VectorStoreSearchParamsFiltersUnion{OfComparisonFilter: &shared.ComparisonFilterParam{
			Key: "year", Type: "gte", Value: shared.ComparisonFilterValueUnionParam{OfFloat: openai.Float(2026)},
		}},
	}))
	results := []any{}
	for _, each := range page.Data {
		results = append(results, []any{each.Filename, each.Content[0].Text, each.Score > 0 && each.Score <= 1})
	}
	found["results"] = results
	stored := must(client.VectorStores.Files.Content(background, store.ID, file.ID))
	found["stored"] = stored.Data[0].Text

	found["deleted"] = []any{
		must(client.VectorStores.Files.Delete(background, store.ID, file.ID)).Deleted,
		must(client.VectorStores.Delete(background, store.ID)).Deleted,
		must(client.Files.Delete(background, file.ID)).Deleted,
	}
	_, err := client.VectorStores.Get(background, store.ID)
	var refused *openai.Error
	errors.As(err, &refused)
	found["missing"] = refused.StatusCode
}

func upload(name string, content string) openai.FileNewParams {
	return openai.FileNewParams{
		File: openai.File(strings.NewReader(content), name, "application/octet-stream"), Purpose: openai.FilePurposeAssistants,
	}
}
