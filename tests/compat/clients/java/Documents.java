import com.fasterxml.jackson.databind.ObjectMapper;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.MultipartField;
import com.openai.models.ComparisonFilter;
import com.openai.models.beta.assistants.Assistant;
import com.openai.models.beta.assistants.AssistantCreateParams;
import com.openai.models.beta.assistants.FileSearchTool;
import com.openai.models.beta.threads.messages.Message;
import com.openai.models.beta.threads.messages.MessageCreateParams;
import com.openai.models.beta.threads.messages.Text;
import com.openai.models.beta.threads.runs.RunCreateParams;
import com.openai.models.beta.threads.runs.steps.FileSearchToolCall;
import com.openai.models.beta.threads.runs.steps.RunStep;
import com.openai.models.beta.threads.runs.steps.RunStepInclude;
import com.openai.models.files.FileCreateParams;
import com.openai.models.files.FileObject;
import com.openai.models.files.FilePurpose;
import com.openai.models.vectorstores.VectorStoreCreateParams;
import com.openai.models.vectorstores.VectorStoreSearchParams;
import com.openai.models.vectorstores.files.FileContentParams;
import com.openai.models.vectorstores.files.FileDeleteParams;
import com.openai.models.vectorstores.files.FileRetrieveParams;
import com.openai.models.vectorstores.files.VectorStoreFile;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Asks about files with the official Java client, and prints what happened as one JSON object. Argument: the base URL. */
public final class Documents {
  private static final byte[] HANDBOOK =
      "The seal of the pump wears out. \uD83D\uDC1D Replace it every 400 hours.".getBytes(StandardCharsets.UTF_8);
  private final OpenAIClient client;
  private final Map<String, Object> seen = new LinkedHashMap<>();

  private Documents(OpenAIClient client) {
    this.client = client;
  }

  public static void main(String[] arguments) throws Exception {
    OpenAIClient client = OpenAIOkHttpClient.builder().baseUrl(arguments[0]).apiKey("any").maxRetries(0).build();
    System.out.println(new ObjectMapper().writeValueAsString(new Documents(client).play()));
    client.close();
  }

  private Map<String, Object> play() throws Exception {
    FileObject file = upload();
    String store = indexed(file.id());
    asked(store, file.id());
    FileObject unnamed = client.files().create(FileCreateParams.builder().file(HANDBOOK).purpose(FilePurpose.ASSISTANTS).build());
    seen.put("unnamed", unnamed.validate().filename());
    seen.put("deleted", List.of(
        client.vectorStores().files().delete(file.id(), FileDeleteParams.builder().vectorStoreId(store).build()).deleted(),
        client.vectorStores().delete(store).deleted(),
        client.files().delete(file.id()).deleted()));
    return seen;
  }

  private FileObject upload() throws Exception {
    MultipartField<InputStream> part =
        MultipartField.<InputStream>builder().value(new ByteArrayInputStream(HANDBOOK)).filename("pump.txt").build();
    FileObject file = client.files().create(FileCreateParams.builder().file(part).purpose(FilePurpose.ASSISTANTS).build());
    try (var content = client.files().content(file.validate().id())) {
      boolean same = Arrays.equals(content.body().readAllBytes(), HANDBOOK);
      seen.put("file", List.of(file.filename(), file.bytes(), same));
    }
    return file;
  }

  private String indexed(String file) throws InterruptedException {
    String store = client.vectorStores().create(VectorStoreCreateParams.builder().name("Handbooks").build()).validate().id();
    var attributes = com.openai.models.vectorstores.files.FileCreateParams.Attributes.builder()
        .putAdditionalProperty("year", JsonValue.from(2026)).build();
    VectorStoreFile added = client.vectorStores().files().create(
        store, com.openai.models.vectorstores.files.FileCreateParams.builder().fileId(file).attributes(attributes).build());
    while (added.validate().status().equals(VectorStoreFile.Status.IN_PROGRESS)) {
      Thread.sleep(10);
      added = client.vectorStores().files().retrieve(file, FileRetrieveParams.builder().vectorStoreId(store).build());
    }
    seen.put("indexed", added.status().asString());
    ComparisonFilter filter = ComparisonFilter.builder().key("year").type(ComparisonFilter.Type.GTE).value(2026).build();
    List<Object> results = new ArrayList<>();
    client.vectorStores().search(store, VectorStoreSearchParams.builder().query("seal of the pump").filters(filter).build())
        .autoPager().stream().forEach(each -> results.add(List.of(
            each.validate().filename(), each.content().get(0).text(), each.score() > 0 && each.score() <= 1)));
    seen.put("results", results);
    FileContentParams content = FileContentParams.builder().vectorStoreId(store).build();
    seen.put("stored", client.vectorStores().files().content(file, content).items().get(0).text().orElseThrow());
    return store;
  }

  private void asked(String store, String file) {
    var search = AssistantCreateParams.ToolResources.FileSearch.builder().addVectorStoreId(store).build();
    Assistant reader = client.beta().assistants().create(AssistantCreateParams.builder().model("gpt-4o").instructions("Be brief.")
        .addTool(FileSearchTool.builder().build())
        .toolResources(AssistantCreateParams.ToolResources.builder().fileSearch(search).build()).build());
    String thread = client.beta().threads().create().id();
    client.beta().threads().messages().create(
        thread, MessageCreateParams.builder().role(MessageCreateParams.Role.USER).content("How often?").build());
    RunCreateParams params = RunCreateParams.builder().assistantId(reader.id())
        .addInclude(RunStepInclude.STEP_DETAILS_TOOL_CALLS_FILE_SEARCH_RESULTS_CONTENT).build();
    try (var stream = client.beta().threads().runs().createStreaming(thread, params)) {
      stream.stream().forEach(event -> {
        event.validate().threadMessageCompleted().ifPresent(completed -> answered(completed.data(), file));
        event.threadRunStepCompleted().ifPresent(completed -> searched(completed.data()));
      });
    }
  }

  private void answered(Message message, String file) {
    Text text = message.content().get(0).asText().text();
    seen.put("answer", text.value());
    seen.put("cited", text.annotations().stream().map(each -> {
      var note = each.asFileCitation();
      int start = text.value().offsetByCodePoints(0, (int) note.startIndex());
      int end = text.value().offsetByCodePoints(0, (int) note.endIndex());
      return text.value().substring(start, end).equals(note.text()) && note.fileCitation().fileId().equals(file);
    }).toList());
  }

  private void searched(RunStep step) {
    if (!step.stepDetails().isToolCalls()) {
      return;
    }
    List<Object> results = new ArrayList<>();
    for (var call : step.stepDetails().asToolCalls().toolCalls()) {
      for (FileSearchToolCall.FileSearch.Result each : call.asFileSearch().fileSearch().results().orElseThrow()) {
        results.add(List.of(each.fileName(), each.content().orElseThrow().get(0).text().orElseThrow()));
      }
    }
    seen.put("searched", results);
  }
}
