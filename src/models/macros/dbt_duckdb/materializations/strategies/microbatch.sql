{# The rows of the batch's time go and the new ones come; keys play no part. #}
{% macro duckdb__get_incremental_microbatch_sql(arg_dict) -%}
    {%- set event_time = config.get('event_time') -%}
    {%- set batch = model.get('batch') -%}
    {%- if not event_time -%}
        {%- do exceptions.raise_compiler_error('The strategy microbatch needs the config event_time') -%}
    {%- elif config.get('unique_key') -%}
        {%- do exceptions.raise_compiler_error(
            'The strategy microbatch of DuckDB replaces the rows of a time, not of a key: remove unique_key, or use the strategy merge') -%}
    {%- elif not (batch and batch.get('event_time_start') and batch.get('event_time_end')) -%}
        {%- do exceptions.raise_compiler_error('The strategy microbatch was called outside of a batch: its start and end are not known') -%}
    {%- endif -%}

    {%- set names = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    {%- set in_batch = event_time ~ " >= '" ~ batch.get('event_time_start') ~ "' and " ~ event_time ~ " < '" ~ batch.get('event_time_end') ~ "'" -%}
    {%- set built %}
        delete from {{ arg_dict['target_relation'] }}
        where {{ in_batch }}
        {%- for predicate in normalize_incremental_predicates(arg_dict.get('incremental_predicates')) %}
        and ({{ predicate }})
        {%- endfor %};

        insert into {{ arg_dict['target_relation'] }} ({{ names }})
        select {{ names }}
        from {{ arg_dict['temp_relation'] }}
        where {{ in_batch }};
    {%- endset -%}
    {%- do return(built) -%}
{%- endmacro %}
