{# Collects what is wrong with the merge configs of a model and fails with all of it. #}
{% macro validate_merge_config(config, target_relation=none) %}
    {%- set problems = [] -%}
    {%- for key in ['merge_update_condition', 'merge_insert_condition'] -%}
        {%- do validate_string_field(config.get(key), key, problems) -%}
    {%- endfor -%}
    {%- for key in ['merge_on_using_columns', 'merge_update_columns', 'merge_exclude_columns', 'merge_returning_columns'] -%}
        {%- do validate_string_list_field(config.get(key), key, problems) -%}
    {%- endfor -%}
    {%- do validate_dict_field(config.get('merge_update_set_expressions'), 'merge_update_set_expressions', problems) -%}

    {%- set replaced_by_clauses = ['merge_update_condition', 'merge_insert_condition', 'merge_update_columns', 'merge_update_set_expressions', 'merge_exclude_columns'] -%}
    {%- do validate_merge_clauses(config, replaced_by_clauses, problems) -%}
    {%- if not problems -%}
        {%- do validate_ducklake_restrictions(config, target_relation, problems) -%}
    {%- endif -%}
    {%- if problems -%}
        {%- do exceptions.raise_compiler_error('The merge configs of this model are wrong:\n' ~ problems | join('\n')) -%}
    {%- endif -%}
{% endmacro %}

{%- macro validate_merge_clauses(config, base_configuration_fields, errors) -%}
    {%- set clauses = config.get('merge_clauses') -%}
    {%- if clauses is none -%}
        {%- do return(none) -%}
    {%- elif clauses is not mapping -%}
        {%- do errors.append('merge_clauses is a dictionary, not ' ~ clauses) -%}
        {%- do return(none) -%}
    {%- endif -%}

    {%- if 'when_matched' not in clauses and 'when_not_matched' not in clauses -%}
        {%- do errors.append('merge_clauses has neither when_matched nor when_not_matched') -%}
    {%- endif -%}
    {%- for kind in ['when_matched', 'when_not_matched'] if kind in clauses -%}
        {%- do validate_merge_clause_list(clauses, kind, errors) -%}
    {%- endfor -%}

    {%- set ignored = [] -%}
    {%- for key in base_configuration_fields if key not in ['merge_on_using_columns', 'merge_returning_columns'] -%}
        {%- set given = config.get(key) -%}
        {%- if given is string or given -%}
            {%- do ignored.append(key) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if ignored -%}
        {%- do errors.append('with merge_clauses these have no effect: ' ~ ignored | join(', ') ~ '. Say it in the clauses instead.') -%}
    {%- endif -%}
{%- endmacro -%}

{%- macro validate_merge_clause_list(merge_clauses, clause_type, errors) -%}
    {%- set given = merge_clauses.get(clause_type) -%}
    {%- if given is string or given is mapping or given is not sequence -%}
        {%- do errors.append('merge_clauses.' ~ clause_type ~ ' is a list, not ' ~ given) -%}
    {%- elif not given -%}
        {%- do errors.append('merge_clauses.' ~ clause_type ~ ' is empty') -%}
    {%- else -%}
        {%- for clause in given if clause is not mapping -%}
            {%- do errors.append('merge_clauses.' ~ clause_type ~ ' holds dictionaries, not ' ~ clause) -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro -%}

{%- macro validate_ducklake_restrictions(config, target_relation, errors) -%}
    {%- if not target_relation or not adapter.is_ducklake(target_relation) -%}
        {%- do return(none) -%}
    {%- endif -%}
    {%- if config.get('merge_returning_columns') -%}
        {%- do errors.append('merge_returning_columns: DuckLake has no returning') -%}
    {%- endif -%}
    {%- set clauses = config.get('merge_clauses') or {} -%}
    {%- set changing = [] -%}
    {%- for clause in clauses.get('when_matched', []) + clauses.get('when_not_matched', []) if clause.action in ('update', 'delete') -%}
        {%- do changing.append(clause.action) -%}
    {%- endfor -%}
    {%- if changing | length > 1 -%}
        {%- do errors.append('merge_clauses: DuckLake takes one update or delete in a merge, not ' ~ changing | length) -%}
    {%- endif -%}
{%- endmacro -%}

{%- macro validate_string_field(field_value, field_name, errors) -%}
    {%- if field_value is not none and field_value is not string -%}
        {%- do errors.append(field_name ~ ' is a text, not ' ~ field_value) -%}
    {%- endif -%}
{%- endmacro -%}

{%- macro validate_string_list_field(field_value, field_name, errors) -%}
    {%- if field_value is none -%}
        {%- do return(none) -%}
    {%- elif field_value is string or field_value is mapping or field_value is not sequence -%}
        {%- do errors.append(field_name ~ ' is a list, not ' ~ field_value) -%}
        {%- do return(none) -%}
    {%- endif -%}
    {%- for entry in field_value if entry is not string -%}
        {%- do errors.append(field_name ~ ' holds texts, not ' ~ entry) -%}
    {%- endfor -%}
{%- endmacro -%}

{%- macro validate_dict_field(field_value, field_name, errors) -%}
    {%- if field_value is not none and field_value is not mapping -%}
        {%- do errors.append(field_name ~ ' is a dictionary, not ' ~ field_value) -%}
    {%- endif -%}
{%- endmacro -%}

{%- macro normalize_incremental_predicates(incremental_predicates) -%}
    {%- do return(normalize_string_or_list(incremental_predicates, 'incremental_predicates')) -%}
{%- endmacro -%}
