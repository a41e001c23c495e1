{# One given row as {column: SQL expression of the column's type}; names are compared in lower case. #}
{%- macro format_row(row, column_name_to_data_types) -%}
    {%- set formatted = {} -%}
    {%- for given_name, given in row.items() -%}
        {%- set name = given_name | lower -%}
        {%- if name not in column_name_to_data_types -%}
            {%- set place = 'the expected rows' if model.resource_type == 'unit_test' else "the rows given for '" ~ model.name ~ "'" -%}
            {%- do exceptions.raise_compiler_error(
                "Invalid column name: '" ~ name ~ "' in " ~ place
                ~ " of this unit test. The columns are: " ~ (column_name_to_data_types.keys() | list)) -%}
        {%- endif -%}

        {%- set kind = column_name_to_data_types[name] -%}
        {%- if given is none -%}
            {%- set literal = 'null' -%}
        {%- elif given is string -%}
            {%- set literal = dbt.string_literal(dbt.escape_single_quotes(given)) -%}
            {# a length would cut the value, and the comparison would be of the cut value #}
            {%- if 'varying' in kind -%}
                {%- set kind = kind.split('(') | first -%}
            {%- endif -%}
        {%- else -%}
            {%- set literal = given -%}
        {%- endif -%}
        {%- do formatted.update({name: safe_cast(literal, kind)}) -%}
    {%- endfor -%}
    {%- do return(formatted) -%}
{%- endmacro -%}
